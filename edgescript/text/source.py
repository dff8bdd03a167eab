"""Texts and places in them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple


@dataclass(frozen=True, eq=False)
class Source:
    """One text that was read: an Edgefile, an imported file, or a line typed by someone."""

    #: As a person would call it: a path relative to where the command runs, or `<stdin>`.
    name: str
    text: str

    @classmethod
    def of_bytes(cls, name: str, data: bytes) -> Source:
        """A source of UTF-8 text; bytes that are none become lone surrogates, which `language.parse` reports."""
        return cls(name, data.decode("utf-8", "surrogateescape"))

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        found = self.text.find("\n")
        while found >= 0:
            starts.append(found + 1)
            found = self.text.find("\n", found + 1)
        return starts

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1, columns in characters."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its end."""
        start = self._line_starts[number - 1]
        end = self._line_starts[number] if number < len(self._line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


class Span(NamedTuple):
    """
    A stretch of a source, from `start` up to `end`, and through which `import` it came here.

    (A tuple is made several times as fast as a frozen dataclass, its class as well, and there are many.)
    """

    source: Source
    start: int
    end: int
    #: The `import` line, where this text stands in a snippet or another file.
    imported: Span | None = None

    def __str__(self) -> str:
        line, column = self.source.position(self.start)
        return f"{self.source.name}:{line}:{column}"
