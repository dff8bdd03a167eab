"""The syntax for Sublime Text, as bat reads it, which has the same engine for syntaxes as several other programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from edgescript.generate.sublime import PATH
from edgescript.generate.textmate import SCOPES
from edgescript.highlight.syntax import Part

ROOT = Path(__file__).parents[2]
#: A colour for each part, by which it is known again in what bat writes.
COLOURS = {part: f"10{number:02x}20" for number, part in enumerate(Part, 1)}
PARTS = {(0x10, number, 0x20): part for number, part in enumerate(Part, 1)}

_THEME = """<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict><key>name</key><string>parts</string><key>settings</key><array>
<dict><key>settings</key><dict><key>foreground</key><string>#000000</string></dict></dict>
{rules}</array></dict></plist>
"""
_RULE = (
    "<dict><key>scope</key><string>{scope}</string>"
    "<key>settings</key><dict><key>foreground</key><string>#{colour}</string></dict></dict>\n"
)


@pytest.fixture(scope="module")
def bat(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], str]:
    """`bat(file)` is what bat writes of a file, in colours that stand for parts."""
    program = shutil.which("bat") or shutil.which("batcat")
    if program is None:
        pytest.skip("needs bat")
    folder = tmp_path_factory.mktemp("bat")
    for kind in ("syntaxes", "themes"):
        (folder / kind).mkdir()
    shutil.copy(ROOT / PATH, folder / "syntaxes")
    rules = "".join(_RULE.format(scope=escape(SCOPES[part]), colour=COLOURS[part]) for part in Part)
    (folder / "themes" / "parts.tmTheme").write_text(_THEME.format(rules=rules))
    environment = os.environ | {"BAT_CONFIG_DIR": str(folder), "BAT_CACHE_PATH": str(folder), "COLORTERM": "truecolor"}

    def run(*arguments: str) -> str:
        command = [program, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("cache", "--build", "--source", str(folder), "--target", str(folder))
    options = ("--language=Edgefile", "--theme=parts", "--color=always", "--style=plain", "--paging=never", "--tabs=0")
    return lambda file: run(*options, str(file))


def test_every_part_of_the_samples_is_found(sample: Any, bat: Callable[[Path], str], told: Callable[..., str]) -> None:
    assert told(_coloured(bat(sample.file))) == sample.parts


def _coloured(written: str) -> Iterator[tuple[str, Part | None]]:
    part: Part | None = None
    for code, text in re.findall(r"\x1b\[([\d;]*)m|([^\x1b]+)", written):
        colour = re.search(r"38;2;(\d+);(\d+);(\d+)", code)
        if colour:
            red, green, blue = map(int, colour.groups())
            part = PARTS.get((red, green, blue))
        elif code:
            part = None
        for character in text:
            yield character, None if character == "\n" else part
