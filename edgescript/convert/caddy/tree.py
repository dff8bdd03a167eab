"""The lines and blocks of a Caddyfile, with the comments where they stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import zip_longest

from edgescript.convert.caddy.lexer import Kind, Token, tokens
from edgescript.text.source import Source, Span

#: Blocks within blocks; what is deeper is taken for plain lines.
MAX_DEPTH = 40


@dataclass(slots=True)
class Line:
    """Words on a line, and perhaps a block; without words only comments, at the end of a block."""

    words: list[str]
    span: Span
    #: Those of the words that stood in quotes, by number.
    quoted: frozenset[int] = frozenset()
    #: The words as they are written, with their quotes.
    raw: tuple[str, ...] = ()
    block: list[Line] | None = None
    #: The lines of comment above, and the comment behind.
    above: list[str] = field(default_factory=list)
    behind: str | None = None
    #: There was an empty line above.
    is_apart: bool = False
    #: The `import` lines that this came through: name and arguments, and a number for each time.
    imported: tuple[str, int] | None = None

    @property
    def name(self) -> str:
        return self.words[0] if self.words else ""

    @property
    def arguments(self) -> list[str]:
        return self.words[1:]

    @property
    def place(self) -> str:
        """`Caddyfile:12`."""
        return f"{self.span.source.name}:{self.span.source.position(self.span.start)[0]}"

    @property
    def written(self) -> str:
        """As it stands in the file, on one line."""
        text = " ".join(self.span.source.text[self.span.start : self.span.end].split())
        return text if len(text) <= 120 else f"{text[:117]}..."


@dataclass(slots=True)
class Parsed:
    """All lines of a file, and what was wrong with its braces: (line, what)."""

    lines: list[Line]
    wrong: list[tuple[Line, str]]


def parse(source: Source) -> Parsed:
    """The lines of a text. Nothing raises: a block that does not end ends with the file."""
    return _Parser(source).run()


class _Parser:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._wrong: list[tuple[Line, str]] = []
        self._lines: list[Line] = []
        #: The lists that the blocks around add to, and the lines they belong to.
        self._around: list[tuple[list[Line], Line]] = []
        self._words: list[Token] = []
        self._above: list[str] = []
        self._newlines = 0
        self._is_apart = False

    def run(self) -> Parsed:
        found = list(tokens(self._source.text))
        for token, following in zip_longest(found, found[1:]):
            self._token(token, following)
        self._end_line()
        while self._around:
            self._wrong.append((self._around[-1][1], "its block does not end"))
            self._close()
        self._end_block()
        return Parsed(self._lines, self._wrong)

    def _token(self, token: Token, following: Token | None) -> None:
        if token.kind is Kind.NEWLINE:
            self._end_line()
            self._newlines += 1
            return
        if token.kind is Kind.COMMENT:
            self._comment(token)
        elif token.text == "{" and not token.is_quoted and self._ends_line(following):
            self._open(token)
        elif token.text == "}" and not token.is_quoted:
            self._end_line()
            self._close_brace(token)
        else:
            self._note_gap()
            self._words.append(token)
        self._newlines = 0

    @staticmethod
    def _ends_line(following: Token | None) -> bool:
        return following is None or following.kind is not Kind.WORD

    def _note_gap(self) -> None:
        if not self._words and not self._above:
            self._is_apart = self._newlines > 1

    def _comment(self, token: Token) -> None:
        last = self._lines[-1] if self._lines else None
        if self._words:
            self._end_line()
            self._lines[-1].behind = token.text
        elif self._newlines == 0 and last is None and self._around:
            self._around[-1][1].behind = token.text
        else:
            self._note_gap()
            self._above.append(token.text)

    def _line(self, end: int) -> Line:
        words = self._words
        span = Span(self._source, words[0].start if words else max(end - 1, 0), end)
        quoted = frozenset(number for number, word in enumerate(words) if word.is_quoted)
        raw = tuple(self._source.text[word.start : word.end] for word in words)
        line = Line([word.text for word in words], span, quoted, raw, above=self._above, is_apart=self._is_apart)
        self._words, self._above, self._is_apart = [], [], False
        return line

    def _end_line(self) -> None:
        if self._words:
            self._lines.append(self._line(self._words[-1].end))

    def _open(self, token: Token) -> None:
        line = self._line(self._words[-1].end if self._words else token.end)
        self._lines.append(line)
        self._around.append((self._lines, line))
        if len(self._around) <= MAX_DEPTH:
            line.block = self._lines = []
        elif len(self._around) == MAX_DEPTH + 1:
            self._wrong.append((line, f"blocks are nested more than {MAX_DEPTH} deep"))

    def _close_brace(self, token: Token) -> None:
        if self._around:
            self._close()
        else:
            line = Line(["}"], Span(self._source, token.start, token.end))
            self._wrong.append((line, "this brace closes nothing"))

    def _close(self) -> None:
        self._end_block()
        self._lines = self._around.pop()[0]

    def _end_block(self) -> None:
        """Keep the comments that stand last in a block."""
        if self._above:
            self._lines.append(self._line(0))
