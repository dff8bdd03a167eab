"""From the text of a Caddyfile to tokens, as Caddy cuts it; comments are tokens too.

A quote counts only at the beginning of a token; `"` may be escaped inside, and nothing else. `{$NAME}` stays in the word
that it stands in: the Edgefile has the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

_TOKEN = re.compile(
    r"""[ \t\r\f\v]*+(?:
      (?P<continuation>\\[ \t\r]*+\n)
    | (?P<newline>\n)
    | (?P<comment>\#[^\n]*+)
    | (?P<heredoc><<(?P<tag>[A-Za-z0-9_-]++)[ \t\r]*+\n)
    | "(?P<quoted>[^"\\]*+(?:\\.[^"\\]*+)*+)(?:"|\Z)
    | `(?P<raw>[^`]*+)(?:`|\Z)
    | (?P<bare>(?:\\(?![ \t\r]*\n)|[^\s\\])++(?:\\(?=\s))?)
    | (?P<space>\s)
    | (?P<end>\Z)
    | (?P<other>.)
    )""",
    re.VERBOSE | re.DOTALL,
)


class Kind(Enum):
    WORD = "word"
    NEWLINE = "newline"
    COMMENT = "comment"


class Token(NamedTuple):
    """A word with its value, the end of a line, or a comment without its `#`."""

    kind: Kind
    text: str
    start: int
    end: int
    is_quoted: bool = False


def tokens(text: str) -> Iterator[Token]:
    """Every token of a text. A quote or heredoc that does not end takes the rest."""
    position = 1 if text.startswith("\ufeff") else 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        assert match is not None  # `other` takes whatever it is
        position = match.end()
        if match["heredoc"]:
            token = _heredoc(text, match)
            position = token.end
            yield token
        else:
            yield from _plain(match)


def _plain(match: re.Match[str]) -> Iterator[Token]:
    kind = match.lastgroup or ""
    start, end = match.span(kind)
    if kind == "newline":
        yield Token(Kind.NEWLINE, "\n", start, end)
    elif kind == "comment":
        yield Token(Kind.COMMENT, match[kind][1:].strip(), start, end)
    elif kind == "quoted":
        yield Token(Kind.WORD, match[kind].replace('\\"', '"'), start - 1, match.end(), is_quoted=True)
    elif kind == "raw":
        yield Token(Kind.WORD, match[kind], start - 1, match.end(), is_quoted=True)
    elif kind in ("bare", "other"):
        yield Token(Kind.WORD, match[kind], start, end)


def _heredoc(text: str, match: re.Match[str]) -> Token:
    body, tag = match.end(), re.escape(match["tag"])
    closing = re.compile(rf"^([ \t]*){tag}(?=\s|\Z)", re.MULTILINE).search(text, body)
    end, indent = (len(text), "") if closing is None else (closing.end(), closing[1])
    inside = text[body : len(text) if closing is None else closing.start()].removesuffix("\n").replace("\r", "")
    lines = [line.removeprefix(indent) for line in inside.split("\n")]
    return Token(Kind.WORD, "\n".join(lines), match.start("heredoc"), end, is_quoted=True)
