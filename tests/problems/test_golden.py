"""Each malformed `NAME.edge` beside this file, and in `NAME.txt` all that is said about it.

With UPDATE_GOLDEN=1 in the environment the texts are written instead of compared; read them as one who never saw the
grammar.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgescript.text.problem import Problem
from edgescript.text.render import as_text

CASES = sorted(Path(__file__).parent.glob("*.edge"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_what_is_said_about_a_malformed_file(
    path: Path, find: Callable[[str], list[Problem]], golden: Callable[[Path, str], None]
) -> None:
    text = as_text(find(path.read_bytes().decode()))
    golden(path.with_suffix(".txt"), text)
    assert text


def test_there_are_sixty_of_them() -> None:
    assert len(CASES) >= 60
