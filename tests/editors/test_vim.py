"""The Vim files, as a real Vim reads them: what is coloured how, how it indents, and what `:make` finds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgescript.generate.vim import GROUPS, group
from edgescript.highlight.syntax import Part

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / "editors" / "vim"
PARTS = {group(part): part for part in Part}

Vim = Callable[..., str]


@pytest.fixture
def vim(tmp_path: Path) -> Vim:
    """`vim(file, *commands)` runs the commands with the file open; gives what they wrote to the file $OUT."""
    program = shutil.which("vim")
    if (
        program is None
        or "+syntax" not in subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    ):
        pytest.skip("needs vim with syntax colouring")
    out = tmp_path / "out"

    def run(file: Path, *commands: str) -> str:
        begin = ["filetype plugin indent on", "syntax on", f"edit {file}"]
        words = [word for command in (*begin, *commands, "quitall!") for word in ("-c", command)]
        subprocess.run(
            [program, "-N", "-u", "NONE", "-i", "NONE", "-n", "-es", "--cmd", f"set rtp^={RUNTIME}", *words],
            env=os.environ | {"OUT": str(out), "TERM": "dumb"},
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=60,
        )
        return out.read_text(encoding="utf-8")

    return run


def test_every_part_of_the_samples_is_found(sample: Any, vim: Vim, told: Callable[..., str]) -> None:
    script = Path(__file__).parent / "colours.vim"
    assert told(_coloured(sample.text, vim(sample.file, f"source {script}"))) == sample.parts


def _coloured(text: str, groups: str) -> Iterator[tuple[str, Part | None]]:
    links = dict(re.findall(r"highlight default link (\S+Names) (\S+)", (RUNTIME / "syntax/edgefile.vim").read_text()))
    for line, of_line in zip(text.split("\n")[:-1], groups.split("\n"), strict=False):
        for character, name in zip(line, of_line.split(" "), strict=bool(line)):
            yield character, PARTS.get(links.get(name, name))
        yield "\n", None


def test_every_part_is_linked_to_a_group_that_colour_schemes_know(vim: Vim, tmp_path: Path) -> None:
    (tmp_path / "Edgefile").touch()
    names = " ".join(f"'{group(part)}'," for part in GROUPS)
    linked = vim(
        tmp_path / "Edgefile",
        f"call writefile(map([{names}], 'synIDattr(synIDtrans(hlID(v:val)), \"name\")'), $OUT)",
    )
    assert set(GROUPS) == set(Part)
    assert not [name for name in linked.split() if name.startswith("edgefile")]


@pytest.mark.parametrize("name", ["Edgefile", "site.edge", "site.test.edge"])
def test_the_type_of_a_file_is_known_by_its_name(vim: Vim, tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    told = vim(tmp_path / name, "call writefile([&filetype, &commentstring, &shiftwidth], $OUT)")
    assert told.split("\n") == ["edgefile", "# %s", "4", ""]


def test_lines_are_indented_by_the_blocks_they_stand_in(vim: Vim, tmp_path: Path) -> None:
    file = ROOT / "examples" / "reverse-proxy" / "Edgefile"
    flat = tmp_path / "Edgefile"
    flat.write_text("".join(line.lstrip(" ") for line in file.read_text().splitlines(keepends=True)))
    assert vim(flat, "normal gg=G", "write! $OUT") == file.read_text()


def test_make_goes_to_the_place_of_a_problem(vim: Vim, tmp_path: Path) -> None:
    file = tmp_path / "Edgefile"
    file.write_text(":80 {\n    respnd 200\n}\n")
    edge = shutil.which("edge", path=f"{ROOT / '.venv/bin'}:{os.environ['PATH']}")
    assert edge is not None
    found = vim(
        file,
        f"set makeprg={edge}\\ validate\\ %",
        "silent make!",
        'call writefile(map(getqflist(), \'v:val.lnum . ":" . v:val.col . ":" . v:val.type . ":" . v:val.text\'), $OUT)',
    )
    assert found == '2:5:E:there is no directive "respnd"\n'
