"""The mode for Emacs, as a real Emacs runs it: what is coloured how, how it indents, and what it is used for."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgescript.generate.emacs import FACES, symbol
from edgescript.highlight.syntax import Part

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PARTS = {f"edgefile-{symbol(part)}": part for part in Part}

Emacs = Callable[..., str]


@pytest.fixture
def emacs(tmp_path: Path) -> Emacs:
    """`emacs(file, *arguments)` runs Emacs without a terminal; gives what it wrote to the file $OUT."""
    program = shutil.which("emacs")
    if program is None:
        pytest.skip("needs emacs")
    out = tmp_path / "out"

    def run(file: Path, *arguments: str) -> str:
        command = [program, "-Q", "--batch", "-L", str(ROOT / "editors" / "emacs"), *arguments]
        done = subprocess.run(
            command,
            env=os.environ | {"FILE": str(file), "OUT": str(out)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return out.read_text(encoding="utf-8") if out.exists() else ""

    return run


def evaluated(emacs: Emacs, file: Path, lisp: str) -> str:
    """The value of an expression in the buffer of a file."""
    write = f'(let ((value {lisp})) (with-temp-file (getenv "OUT") (insert (format "%s" value))))'
    return emacs(file, "--eval", "(require 'edgefile-mode)", "--eval", '(find-file (getenv "FILE"))', "--eval", write)


def test_every_part_of_the_samples_is_found(sample: Any, emacs: Emacs, told: Callable[..., str]) -> None:
    faces = emacs(sample.file, "-l", str(HERE / "colours.el"))
    assert told(_coloured(sample.text, faces)) == sample.parts


def _coloured(text: str, faces: str) -> Iterator[tuple[str, Part | None]]:
    for line, of_line in zip(text.split("\n")[:-1], faces.split("\n"), strict=False):
        for character, face in zip(line, of_line.split(" "), strict=bool(line)):
            yield character, PARTS.get(face)
        yield "\n", None


def test_every_part_has_a_face() -> None:
    assert set(FACES) == set(Part)


@pytest.mark.parametrize("name", ["Edgefile", "site.edge", "site.test.edge"])
def test_the_mode_is_known_by_the_name_of_a_file(emacs: Emacs, tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert evaluated(emacs, tmp_path / name, "(list major-mode comment-start)") == "(edgefile-mode # )"


def test_lines_are_indented_by_the_blocks_they_stand_in(emacs: Emacs, tmp_path: Path) -> None:
    file = ROOT / "examples" / "reverse-proxy" / "Edgefile"
    flat = tmp_path / "Edgefile"
    flat.write_text("".join(line.lstrip(" ") for line in file.read_text().splitlines(keepends=True)))
    lisp = "(progn (indent-region (point-min) (point-max)) (buffer-string))"
    assert evaluated(emacs, flat, lisp) == file.read_text()


def test_the_files_compile_without_a_warning(emacs: Emacs, tmp_path: Path) -> None:
    for name in ("edgefile-syntax.el", "edgefile-mode.el"):
        shutil.copy(ROOT / "editors" / "emacs" / name, tmp_path / name)
        emacs(
            tmp_path, "-L", str(tmp_path), "--eval", "(setq byte-compile-error-on-warn t)", "-f", "batch-byte-compile",
            str(tmp_path / name),
        )  # fmt: skip
        assert (tmp_path / f"{name}c").is_file()


def test_the_place_of_a_problem_is_found_in_what_validate_writes(emacs: Emacs, tmp_path: Path) -> None:
    (tmp_path / "Edgefile").touch()
    pattern = "(progn (require 'compile) (cadr (assq 'edgefile compilation-error-regexp-alist-alist)))"
    line = '" --> sites/Edgefile:12:5"'
    lisp = f"(progn (string-match {pattern} {line}) (list (match-string 1 {line}) (match-string 2 {line})))"
    assert evaluated(emacs, tmp_path / "Edgefile", lisp) == "(sites/Edgefile 12)"
