"""What a highlighter found, in words that all of them share: for each line, its parts and their texts."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from edgescript.highlight.syntax import Part

SAMPLES = Path(__file__).parents[2] / "vscode-extension" / "test" / "samples"
NAMES = sorted(file.stem for file in SAMPLES.glob("*.edge"))

#: A character of the text, and what it is part of.
Coloured = tuple[str, Part | None]


def text_of(name: str) -> str:
    return (SAMPLES / f"{name}.edge").read_text(encoding="utf-8")


def expected(name: str) -> str:
    return (Path(__file__).parent / f"{name}.parts").read_text(encoding="utf-8")


def told(characters: Iterable[Coloured]) -> str:
    """Each line with its parts below it; blanks at the ends of a part say nothing."""
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
