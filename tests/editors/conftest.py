"""Samples, and what a highlighter made of them, in words that all highlighters share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pytest

from edgescript.highlight.syntax import Part

EXPECTED = Path(__file__).parent
SAMPLES = EXPECTED.parents[1] / "vscode-extension" / "test" / "samples"

#: A character of the text, and what it is part of.
Coloured = tuple[str, Part | None]


@dataclass(frozen=True, slots=True)
class Sample:
    """A text, and its parts as they are expected of every highlighter."""

    file: Path

    @property
    def text(self) -> str:
        return self.file.read_text(encoding="utf-8")

    @property
    def parts(self) -> str:
        return (EXPECTED / f"{self.file.stem}.parts").read_text(encoding="utf-8")

    @property
    def scopes(self) -> str:
        """The same, with TextMate's scopes instead of parts: the tests of the extension hold that it finds these."""
        return self.file.with_suffix(".scopes").read_text(encoding="utf-8")


@pytest.fixture(params=sorted(SAMPLES.glob("*.edge")), ids=lambda file: file.stem)
def sample(request: pytest.FixtureRequest) -> Sample:
    return Sample(request.param)


@pytest.fixture(scope="session")
def told() -> Callable[[Iterable[Coloured]], str]:
    """Writes each line with its parts below it; blanks at the ends of a part say nothing."""
    return _told


def _told(characters: Iterable[Coloured]) -> str:
    lines: list[list[Coloured]] = [[]]
    for character, part in characters:
        if character == "\n":
            lines.append([])
        else:
            lines[-1].append((character, part))
    return "\n".join(text for line in lines for text in _line(line)) + "\n"


def _line(line: list[Coloured]) -> list[str]:
    text = "".join(character for character, _ in line)
    runs = [(part, "".join(character for character, _ in run)) for part, run in groupby(line, key=lambda one: one[1])]
    return [text, *(f"    | {part.value}: {run.strip()}" for part, run in runs if part is not None and run.strip())]
