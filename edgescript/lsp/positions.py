"""Places as the protocol counts them: lines from 0, and code units (UTF-16 unless the client chose otherwise) in a line."""

from __future__ import annotations

import re
from bisect import bisect_right

from lsprotocol import types

#: LSP 3.17, "Text Documents": these three end a line, and nothing else does.
_LINE_END = re.compile(r"\r\n|\r|\n")


def units(text: str, encoding: str) -> int:
    """How many code units of an encoding a text takes."""
    if text.isascii() or encoding == "utf-32":
        return len(text)
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text) + sum(character > "\uffff" for character in text)


class Positions:
    """Offsets of one text, and positions in it. Positions outside of the text mean the nearest place that is inside."""

    def __init__(self, text: str, encoding: str = "utf-16") -> None:
        self.text = text
        self.encoding = encoding
        ends = list(_LINE_END.finditer(text))
        self._starts = [0, *(match.end() for match in ends)]
        self._ends = [*(match.start() for match in ends), len(text)]

    def offset(self, position: types.Position) -> int:
        if position.line >= len(self._starts):
            return len(self.text)
        if position.line < 0:
            return 0
        start, end = self._starts[position.line], self._ends[position.line]
        return start + self._characters(self.text[start:end], max(position.character, 0))

    def _characters(self, line: str, count: int) -> int:
        if self.encoding == "utf-32" or line.isascii():
            return min(count, len(line))
        taken = 0
        for number, character in enumerate(line):
            taken += units(character, self.encoding)
            if taken > count:
                return number
        return len(line)

    def position(self, offset: int) -> types.Position:
        line = bisect_right(self._starts, offset) - 1
        end = min(offset, self._ends[line])  # between \r and \n is the end of the line
        return types.Position(line, units(self.text[self._starts[line] : end], self.encoding))

    def range(self, start: int, end: int) -> types.Range:
        return types.Range(self.position(start), self.position(end))

    def pieces(self, start: int, end: int) -> list[tuple[int, int]]:
        """The stretches of each line between two offsets, without line ends."""
        first, last = bisect_right(self._starts, start) - 1, bisect_right(self._starts, end) - 1
        found = [(max(start, self._starts[n]), min(end, self._ends[n])) for n in range(first, last + 1)]
        return [(a, b) for a, b in found if a < b]


def changed(text: str, change: types.TextDocumentContentChangeEvent, encoding: str) -> str:
    """The text after one change of `didChange`."""
    if isinstance(change, types.TextDocumentContentChangeWholeDocument):
        return change.text
    positions = Positions(text, encoding)
    start, end = sorted((positions.offset(change.range.start), positions.offset(change.range.end)))
    return text[:start] + change.text + text[end:]
