"""The lossless tree: every character of the file belongs to exactly one node.

A file is a list of lines. A line has words, perhaps a block of further lines, and the text between its words (spaces,
continuations, comments), which is what lies between the words' spans and need not be stored. Blank and comment lines
are lines without words.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.text.source import Source, Span


class Word:
    """One token: its value after unquoting, and where it was written."""

    __slots__ = ("end", "quote", "start", "value")

    def __init__(self, value: str, start: int, end: int, quote: str = "") -> None:
        #: Escapes of quoting are resolved; `\\{` is kept for templates.
        self.value = value
        self.start = start
        self.end = end
        #: "" bare, '"' quoted, "`" raw, "<<" heredoc.
        self.quote = quote

    def __repr__(self) -> str:
        return f"Word({self.value!r})"

    def offset_in(self, text: str) -> int | None:
        """Where its value begins in the text, character for character; None where it has escapes, or came from elsewhere."""
        start = self.start + (len(self.quote) if self.quote in ('"', "`") else 0)
        return start if text.startswith(self.value, start) and start + len(self.value) <= self.end else None


class Origin:
    """Where lines come from: their source, and through which import. Shared by all lines of one expansion."""

    __slots__ = ("imported", "source")

    def __init__(self, source: Source, imported: Span | None = None) -> None:
        self.source = source
        self.imported = imported


class Line:
    """
    A logical line: words, and perhaps a block.

    `start` to `end` covers the whole line with its indentation, comment and newline; with a block, through the newline
    behind the closing brace. `header_end` is where the first line of a block ends (the character after its newline).
    """

    __slots__ = ("block", "block_comment", "block_end", "comment", "end", "header_end", "origin", "start", "words")

    def __init__(self, words: list[Word], start: int, end: int, origin: Origin) -> None:
        self.words = words
        #: The lines inside `{ … }`, or None where the line has no block.
        self.block: list[Line] | None = None
        #: The comment behind the words (or alone), with its `#`, or None.
        self.comment: Word | None = None
        self.start = start
        self.end = end
        self.header_end = end
        #: Offset of the closing brace, where there is one, and the comment behind it.
        self.block_end: int | None = None
        self.block_comment: Word | None = None
        self.origin = origin

    def __repr__(self) -> str:
        return f"Line({' '.join(word.value for word in self.words)}{' {…}' if self.block is not None else ''})"

    def span(self, word: Word | None = None) -> Span:
        """The span of one of its words, or of all of them (without block and comment)."""
        source, imported = self.origin.source, self.origin.imported
        if word is not None:
            return Span(source, word.start, word.end, imported)
        if not self.words:
            return Span(source, self.start, self.end, imported)
        return Span(source, self.words[0].start, self.words[-1].end, imported)

    def walk(self) -> Iterator[Line]:
        """This line and every line inside it."""
        yield self
        for line in self.block or ():
            yield from line.walk()


class Tree:
    """A parsed file."""

    __slots__ = ("lines", "source")

    def __init__(self, source: Source, lines: list[Line]) -> None:
        self.source = source
        self.lines = lines
