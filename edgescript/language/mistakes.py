"""Which brace is missing, and which is too many: found by how the lines are indented.

Only a file whose braces do not fit together comes here. There are as many problems as braces are wrong, each at the place
where the indentation says that it is, and the pieces that come out are balanced.
"""

from __future__ import annotations

import re

from edgescript.language.lexer import Piece
from edgescript.language.tree import Line, Origin, Word
from edgescript.text.problem import Edit, Fix, Problem
from edgescript.text.source import Span


def balanced(pieces: list[Piece], origin: Origin, end: int) -> tuple[list[Piece], list[Problem]]:
    """The pieces with openings and closings that fit, and a problem for each that did not."""
    mender = _Mender(origin)
    for piece in _with_glued_openings(pieces, mender):
        mender.missing += {"OPEN": 1, "CLOSE": -1}.get(piece.type, 0)
        mender.todo.append(piece)
    mender.run(end)
    return mender.done, mender.problems


_END_IT = 'end it with a "}" on a line of its own'
#: The indentation of the next line that is not blank.
_INDENT = re.compile(r"(?:[ \t]*\r?\n)*([ \t]*)")


class _Mender:
    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.todo: list[Piece] = []
        self.done: list[Piece] = []
        self.problems: list[Problem] = []
        #: How many closings are missing in all; negative where openings are.
        self.missing = 0
        self._open: list[Piece] = []

    def run(self, end: int) -> None:
        for piece in self.todo:
            if piece.type == "OPEN":
                self._opening(piece)
            elif piece.type == "CLOSE":
                self._closing(piece)
            else:
                self._plain(piece)
        while self._open:
            self._unclosed(end)

    def _opening(self, piece: Piece) -> None:
        indent = self._indent(piece)
        while self.missing > 0 and self._open and indent <= self._indent(self._open[-1]):
            self._unclosed(piece.start)
        self.done.append(piece)
        self._open.append(piece)

    def _plain(self, piece: Piece) -> None:
        """Lines; one that stands further left than those of the block above it is no part of that block."""
        kept = 0
        for number, line in enumerate(piece.lines):
            while line.words and self.missing > 0 and self._open and self._is_behind(line, self._open[-1]):
                self.done += _lines(piece.lines[kept:number])
                kept = number
                self._unclosed(line.start)
            if line.words and self.missing < 0 and self._indent_behind(line.end) > self._indent_of(line):
                self.done += _lines(piece.lines[kept:number])
                kept = number + 1
                self._unopened(line)
        self.done += _lines(piece.lines[kept:])

    def _is_behind(self, line: Line, opening: Piece) -> bool:
        """Whether the indentation says so, which it can only where the block is indented."""
        return self._indent_behind(opening.end) > self._indent(opening) >= self._indent_of(line)

    def _indent_of(self, line: Line) -> int:
        return len(self.origin.source.text[line.start : line.words[0].start].lstrip("\ufeff").expandtabs(4))

    def _indent_behind(self, end: int) -> int:
        """The indentation of the next line that is not blank."""
        indent = _INDENT.match(self.origin.source.text, end)
        return 0 if indent is None else len(indent[1].expandtabs(4))

    def _unopened(self, line: Line) -> None:
        """Take a line with an indented block below it, and no brace, for an opening."""
        end = line.words[-1].end
        span = Span(self.origin.source, line.words[0].start, end, self.origin.imported)
        hint = 'write "{" at its end'
        fix = Fix(hint, (Edit(self._span(end, end), " {"),))
        message = 'a "{" is missing at the end of this line: a "}" below closes no block'
        self.problems.append(Problem("E004", message, span, hint=hint, fix=fix))
        piece = Piece("OPEN", [line], line.start, line.end, end)
        self.done.append(piece)
        self._open.append(piece)
        self.missing += 1

    def _closing(self, piece: Piece) -> None:
        indent = self._indent(piece)
        if piece.start and self.origin.source.text[piece.start - 1] != "\n" and self._open:
            indent = self._indent(self._open[-1])  # in the middle of a line, it says nothing
        fits = any(self._indent(opening) == indent for opening in self._open)
        while fits and self.missing > 0 and indent < self._indent(self._open[-1]):
            self._unclosed(piece.start)
        if not self._open or (self.missing < 0 and indent > self._indent(self._open[-1])):
            self._stray(piece)
        else:
            self.done.append(piece)
            self._open.pop()

    def _unclosed(self, end: int) -> None:
        opening = self._open.pop()
        words = opening.lines[0].words
        name = f' of "{words[0].value}"' if words else ""
        assert opening.brace is not None  # only closings are ever added
        self._problem(
            "E003",
            f"the block{name} is not closed",
            opening.brace,
            _END_IT,
            self._closing_line(opening, end),
        )
        self.done.append(Piece("CLOSE", [], end, end))
        self.missing -= 1

    def _stray(self, piece: Piece) -> None:
        """Keep a closing without opening as a line without words, so that nothing of the text is lost."""
        assert piece.brace is not None
        fix = Fix("take it out", (Edit(self._span(piece.brace, piece.brace + 1), ""),))
        self._problem("E004", 'this "}" closes no block', piece.brace, None, fix)
        line = Line([], piece.start, piece.end, self.origin)
        self.done.append(Piece("LINES", [line], piece.start, piece.end))
        self.missing += 1

    def _problem(self, code: str, message: str, brace: int, hint: str | None, fix: Fix | None) -> None:
        self.problems.append(Problem(code, message, self._span(brace, brace + 1), hint=hint, fix=fix))

    def _span(self, start: int, end: int) -> Span:
        return Span(self.origin.source, start, end, self.origin.imported)

    def _closing_line(self, opening: Piece, end: int) -> Fix | None:
        """A fix that puts the `}` where the indentation says that it is missing."""
        text = self.origin.source.text
        end = text.rfind("\n", 0, end) + 1 if end < len(text) else end
        start = text.rfind("\n", 0, opening.start) + 1
        indent = text[start : len(text) - len(text[start:].lstrip(" \t"))]
        before = "" if text[:end].endswith("\n") else "\n"
        return Fix(_END_IT, (Edit(self._span(end, end), f"{before}{indent}}}\n"),))

    def _indent(self, piece: Piece) -> int:
        text = self.origin.source.text
        first = piece.lines[0].words[0].start if piece.lines and piece.lines[0].words else piece.brace or piece.start
        return len(text[piece.start : first].lstrip("\ufeff").expandtabs(4))

    def glued(self, line: Line) -> None:
        """Report `example.com{`."""
        brace = line.words[-1].end - 1
        fix = Fix("put a space in", (Edit(self._span(brace, brace), " "),), safe=True)
        self._problem("E005", 'a space is missing before "{"', brace, None, fix)


def _with_glued_openings(pieces: list[Piece], mender: _Mender) -> list[Piece]:
    """Where `example.com{` ends a line, take its brace for an opening."""
    found: list[Piece] = []
    for piece in pieces:
        plain: list[Line] = []
        for line in piece.lines if piece.type == "LINES" else ():
            if not _is_glued(line):
                plain.append(line)
                continue
            mender.glued(line)
            last = line.words[-1]
            line.words[-1] = Word(last.value[:-1], last.start, last.end - 1)
            found += _lines(plain)
            found.append(Piece("OPEN", [line], line.start, line.end, last.end - 1))
            plain = []
        found += _lines(plain) if piece.type == "LINES" else [piece]
    return found


def _is_glued(line: Line) -> bool:
    last = line.words[-1] if line.words else None
    return last is not None and not last.quote and last.value.endswith("{") and len(last.value.rstrip("{")) > 0


def _lines(lines: list[Line]) -> list[Piece]:
    return [Piece("LINES", lines, lines[0].start, lines[-1].end)] if lines else []
