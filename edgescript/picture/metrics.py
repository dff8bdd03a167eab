"""How wide a text is drawn, without the font: in a monospaced one every character has the same width, or twice that."""

from __future__ import annotations

from unicodedata import combining, east_asian_width

#: Of the font's size. DejaVu Sans Mono and Menlo have 0.602, Consolas 0.55, Courier 0.6.
CELL = 0.602


def cells(text: str) -> int:
    """Columns that a text takes."""
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def width(text: str, size: float) -> float:
    """Width in the unit of the font's size."""
    return cells(text) * CELL * size


def shortened(text: str, most: int) -> str:
    """At most so many columns of a text."""
    if cells(text) <= most:
        return text
    kept = text[: most - 1]
    while cells(kept) > most - 1:
        kept = kept[:-1]
    return f"{kept}…"
