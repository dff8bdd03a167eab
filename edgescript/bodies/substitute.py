"""Texts found in bodies and replaced, as transformers: a match is found across the borders of pieces too.

A text holds back only what may be its beginning, so every match is found. A regular expression can say neither how long a
match may become nor whether more text would change it; it holds back its window, which is the length of its longest match
where that is short, and else WINDOW. So what comes out is what the whole body would have given, as long as no match reaches
over more than that.
"""

from __future__ import annotations

import codecs
import re
import warnings
from collections.abc import Callable, Iterable
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from re import _parser as parser

#: Characters over which a match of a regular expression may reach.
WINDOW = 4096
#: Characters in front of where it searches that it may look back at.
_BEHIND = 256

#: What replaces a match.
Replacement = Callable[[re.Match[str]], str]


class TextSubstitution:
    """One text in place of another."""

    __slots__ = ("_done", "_find", "_held", "_once", "_replacement")

    def __init__(self, find: bytes, replacement: bytes, *, once: bool = False) -> None:
        self._find = find
        self._replacement = replacement
        self._once = once
        self._held = b""
        self._done = False

    def feed(self, data: bytes) -> Iterable[bytes]:
        if self._done:
            return (data,)
        *whole, last = (self._held + data).split(self._find, 1 if self._once else -1)
        self._held = b""
        self._done = self._once and bool(whole)
        return (self._replacement.join((*whole, last if self._done else self._without_beginning(last))),)

    def flush(self) -> bytes:
        return b""  # what is held back may be the beginning of the text

    def finish(self) -> bytes:
        held, self._held = self._held, b""
        return held

    def _without_beginning(self, data: bytes) -> bytes:
        """Hold back the longest end of `data` that may be the beginning of the text."""
        find = self._find
        for size in range(min(len(find) - 1, len(data)), 0, -1):
            if find.startswith(data[-size:]):
                self._held = data[-size:]
                return data[:-size]
        return data


class PatternSubstitution:
    """
    A regular expression's matches, replaced.

    It reads UTF-8; bytes that are none pass as they are. On a flush it lets go of what ends with a line: a match that begins
    before the pause and ends behind it, over the end of a line, is not found.
    """

    __slots__ = ("_decode", "_done", "_once", "_pattern", "_position", "_replacement", "_text", "_window")

    def __init__(self, pattern: re.Pattern[str], replacement: Replacement, *, once: bool = False) -> None:
        self._pattern = pattern
        self._replacement = replacement
        self._once = once
        self._window = window_of(pattern)
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        #: What is held back begins at `position`; in front of it is what a match may look back at.
        self._text = ""
        self._position = 0
        self._done = False

    def feed(self, data: bytes) -> Iterable[bytes]:
        self._text += self._decode(data)
        return (self._let_go(len(self._text) - self._window),)

    def flush(self) -> bytes:
        return self._let_go(self._text.rfind("\n", self._position) + 1)

    def finish(self) -> bytes:
        self._text += self._decode(b"", True)
        return self._let_go(len(self._text) + 1)

    def _let_go(self, limit: int) -> bytes:
        """What comes of the text, as far as matches begin before `limit`."""
        if limit <= self._position:
            return b""
        text, position = self._text, self._position
        pieces = []
        for match in self._pattern.finditer(text, position) if not self._done else ():
            if match.start() >= limit:
                break
            pieces += [text[position : match.start()], self._replacement(match)]
            position = match.end()
            if self._once:
                self._done = True
                break
        end = max(position, min(limit, len(text)))
        pieces.append(text[position:end])
        forget = max(0, end - _BEHIND)
        self._text, self._position = text[forget:], end - forget
        return "".join(pieces).encode("utf-8", "surrogateescape")


def window_of(pattern: re.Pattern[str]) -> int:
    """How many characters a match reaches over, with what it looks at behind its end; at most WINDOW."""
    if "(?=" in pattern.pattern or "(?!" in pattern.pattern:
        return WINDOW
    # One more for what only looks: the end of a line, of a word, of the text.
    return min(_width(pattern)[1] + 2, WINDOW)


def can_be_nothing(pattern: re.Pattern[str]) -> bool:
    """Whether a match may be empty: then it is everywhere."""
    return _width(pattern)[0] == 0


def _width(pattern: re.Pattern[str]) -> tuple[int, int]:
    """The lengths of the shortest and the longest match; the latter may be huge."""
    parsed: Any = parser.parse(pattern.pattern, pattern.flags)
    least, most = parsed.getwidth()
    return int(least), int(most)
