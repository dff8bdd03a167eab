"""What the guide shows is what the commands say: its files are written, its commands run, and their output compared."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

PAGES = Path(__file__).parents[2] / "docs" / "guide"
GUIDE = PAGES / "explain-and-plan.md"
TEXT = GUIDE.read_text()
FILES = re.findall(r'^```edgefile title="(\S+)"\n(.*?)^```$', TEXT, re.MULTILINE | re.DOTALL)
RUN = re.compile(r"^```console\n\$ edge ([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUNS = RUN.findall(TEXT)


def test_the_guide_has_examples() -> None:
    assert len(FILES) == 2
    assert len(RUNS) == 3


@pytest.mark.parametrize(("words", "output"), RUNS)
def test_an_example_says_what_the_guide_shows(
    call: Callable[..., Result], tmp_path: Path, words: str, output: str
) -> None:
    for name, text in FILES:
        (tmp_path / name).write_text(text)
    result = call(*shlex.split(words))
    assert result.exit_code in (0, 2)
    assert result.output == output


def test_the_picture_in_the_guide_is_what_the_command_draws(call: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "shop.edge").write_text(dict(FILES)["shop.edge"])
    assert call("graph", "shop.edge").output == (GUIDE.parent / "shop.svg").read_text()


def test_getting_started_shows_what_the_commands_say(call: Callable[..., Result], tmp_path: Path) -> None:
    text = (PAGES / "getting-started.md").read_text().replace("/home/you/site", str(tmp_path))
    shown = dict(RUN.findall(text))
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "index.html").write_text("<h1>It works</h1>\n")
    (tmp_path / "Edgefile").write_text(":8080 {\n    flies public\n}\n")
    assert call("validate").output == shown["validate"]
    (tmp_path / "Edgefile").write_text(":8080 {\n    files public\n}\n")
    asked = "explain GET http://localhost:8080/"
    assert call(*asked.split()).output == shown[asked]


def test_a_test_that_fails_looks_as_the_guide_shows_it(call: Callable[..., Result], tmp_path: Path) -> None:
    text = (PAGES / "testing.md").read_text()
    edgefile = re.search(r"^```edgefile\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    shown = re.search(r"^```text\n(FAILED .*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert edgefile is not None
    assert shown is not None
    (tmp_path / "Edgefile").write_text(re.sub("body +sorry", 'body "please wait"', edgefile[1]))
    assert shown[1].rstrip() in call("test").output
