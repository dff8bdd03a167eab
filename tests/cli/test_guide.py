"""What the guide shows is what the commands say: its files are written, its commands run, and their output compared."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "explain-and-plan.md"
TEXT = GUIDE.read_text()
FILES = re.findall(r'^```edgefile title="(\S+)"\n(.*?)^```$', TEXT, re.MULTILINE | re.DOTALL)
RUNS = re.findall(r"^```console\n\$ edge ([^\n]*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


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
