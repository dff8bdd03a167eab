"""Every file of `grammar/mistakes/`: what is said about its sample is what stands in it.

With UPDATE_GOLDEN=1 in the environment that is written instead of compared; read the difference afterwards.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgescript.catalog import Catalogue
from edgescript.declare.mistakes import Mistake
from edgescript.graph.load import Analysis, analyse
from edgescript.text.render import as_text
from edgescript.text.source import Source

FILES = sorted((Path(__file__).parents[2] / "grammar" / "mistakes").glob("*.toml"))
KEYS = {*Mistake._fields, "sample", "problem"}


def analysed(text: str) -> Analysis:
    return analyse(Source("Edgefile", text), catalogue=Catalogue.load(), environment={})


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_mistake_is_answered_with_what_its_file_says(path: Path, golden: Callable[[Path, str], None]) -> None:
    found = read(path)
    text = as_text(analysed(found["sample"]).problems).rstrip("\n") + "\n"
    written = path.read_text("utf-8")
    golden(path, written[: written.index("\nproblem = '''")] + f"\nproblem = '''\n{text}'''\n")
    assert found.get("hint") is None or "= hint: " in text


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_mistake_says_nothing_that_is_not_read(path: Path) -> None:
    found = read(path)
    assert set(found) <= KEYS
    assert ("at" in found) == ("hint" in found)


def test_what_is_recognised_is_what_the_sample_of_the_file_shows() -> None:
    """So that no file is there whose words come too late, or whose pattern another one takes."""
    for path in FILES:
        found = read(path)
        if "hint" in found and "\\g<" not in found["hint"]:
            assert found["hint"] in found["problem"].replace("\n", " "), path.name
        elif "hint" in found:
            literal = max(re.split(r"\\g<\w+>", found["hint"]), key=len)
            assert literal in found["problem"], path.name


def test_the_files_are_not_read_for_a_file_that_is_right() -> None:
    script = (
        "import sys\n"
        "from edgescript.catalog import Catalogue\n"
        "from edgescript.graph.load import analyse\n"
        "from edgescript.text.source import Source\n"
        "for text in (':80 {\\n    files\\n}\\n', ':80 {\\n    location /x {\\n    }\\n}\\n'):\n"
        "    analyse(Source('Edgefile', text), catalogue=Catalogue.load(), environment={})\n"
        "    print('tomllib' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
