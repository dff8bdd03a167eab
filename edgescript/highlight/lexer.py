"""Edgefiles for Pygments: documentation tools and terminals colour them by the name `edgefile`.

Made of the same contexts as the editors' syntaxes. A line is read in two states: in its context, where the first word says
what the line is, and then among its arguments, until the line ends or its block begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from pygments.lexer import RegexLexer
from pygments.token import (
    Comment,
    Keyword,
    Name,
    Number,
    Punctuation,
    String,
    Text,
    Whitespace,
)

from edgescript.highlight import syntax
from edgescript.highlight.syntax import ARGUMENTS, END, FILE, START, Line, Part
from edgescript.highlight.table import SYNTAX

#: One for each part, so that two parts can be told apart; what is no usual token is coloured as the one it belongs to.
TOKENS: dict[Part, Any] = {
    Part.COMMENT: Comment.Single,
    Part.QUOTED: String.Double,
    Part.RAW: String.Backtick,
    Part.HEREDOC: String.Heredoc,
    Part.ESCAPE: String.Escape,
    Part.PLACEHOLDER: String.Interpol,
    Part.ENVIRONMENT: Name.Variable.Global,
    Part.SITE: Name.Namespace,
    Part.SNIPPET: Name.Label,
    Part.TEST: Keyword.Declaration,
    Part.NAMED_MATCHER: Name.Variable,
    Part.KEYWORD: Keyword.Namespace,
    Part.GROUP: Keyword,
    Part.DIRECTIVE: Name.Function,
    Part.OPTION: Name.Attribute,
    Part.FIELD: Name.Property,
    Part.MATCHER: Name.Builtin,
    Part.SETTING: Name.Attribute.Setting,
    Part.TEST_WORD: Keyword.Reserved,
    Part.SUBJECT: Name.Attribute.Subject,
    Part.NUMBER: Number,
    Part.CONSTANT: Keyword.Constant,
    Part.BRACE: Punctuation,
    Part.CONTINUATION: String.Escape.Continuation,
}
_BLANKS = r"[ \t\r]+"

Rules = list[Any]


def _states() -> dict[str, Rules]:
    states: dict[str, Rules] = {"root": _context(FILE, SYNTAX.contexts[FILE])}
    states |= {name: _context(name, lines) for name, lines in SYNTAX.contexts.items()}
    for name, lines in SYNTAX.contexts.items():
        states |= {_arguments_of(name, at): _arguments(line) for at, line in enumerate(lines)}
    states |= {"unknown arguments": _arguments(Line(Part.FIELD, block="directives"))}
    states |= {
        "quoted": [
            (r"(?=\n)", Text, "#pop"),
            (syntax.ESCAPE, TOKENS[Part.ESCAPE]),
            *_inside(Part.QUOTED, '"', r'[^"\\{\n]+'),
        ],
        "raw": _inside(Part.RAW, "`", r"[^`{]+"),
    }
    return states


def _context(name: str, lines: tuple[Line, ...]) -> Rules:
    """What may stand where a line begins."""
    return [
        (_BLANKS, Whitespace),
        (r"\n", Whitespace),
        ("\ufeff", Text),
        (syntax.COMMENT, TOKENS[Part.COMMENT]),
        (rf"\}}{END}", Punctuation, "#pop"),
        *((syntax.first_word(line), TOKENS[line.part], _arguments_of(name, at)) for at, line in enumerate(lines)),
        (r"(?=[^\n])", Text, "unknown arguments"),
    ]


def _arguments_of(context: str, at: int) -> str:
    return f"{context} {at}"


def _arguments(line: Line) -> Rules:
    """What may stand behind a line's first word; its block takes the place of this state."""
    named = [(syntax.argument(line.names), TOKENS[line.named])] if line.names else []
    return [
        (_BLANKS, Whitespace),
        (r"\n", Whitespace, "#pop"),
        (r"\\[ \t\r]*\n", TOKENS[Part.CONTINUATION]),
        (syntax.COMMENT, TOKENS[Part.COMMENT]),
        (syntax.QUOTE, TOKENS[Part.QUOTED], "quoted"),
        (syntax.BACKTICK, TOKENS[Part.RAW], "raw"),
        (rf"{START}<<([A-Za-z_][\w-]*)[ \t\r]*\n(?:.*\n)*?[ \t]*\1{END}", _heredoc),
        (rf"{START}<<[A-Za-z_][\w-]*[ \t\r]*\n(?:.*\n?)*", _heredoc),
        (rf"{START}\{{(?=[ \t\r]*(?:#.*)?$)", Punctuation, ("#pop", line.block or "directives")),
        *named,
        *((pattern, TOKENS[part]) for part, pattern in ARGUMENTS),
        (syntax.argument(SYNTAX.constants), TOKENS[Part.CONSTANT]),
        (r"[^\s{}\\]+|[{}\\]", Text),
    ]


def _inside(part: Part, end: str, plain: str) -> Rules:
    """What may stand between quotes."""
    return [
        (end, TOKENS[part], "#pop"),
        (syntax.ENVIRONMENT, TOKENS[Part.ENVIRONMENT]),
        (syntax.PLACEHOLDER, TOKENS[Part.PLACEHOLDER]),
        (plain, TOKENS[part]),
        (r".", TOKENS[part]),
    ]


_IN_HEREDOC = re.compile(f"({syntax.ENVIRONMENT})|({syntax.PLACEHOLDER})")


def _heredoc(lexer: RegexLexer, match: re.Match[str]) -> Iterator[tuple[int, Any, str]]:
    """A whole heredoc: text, and placeholders in it."""
    text, start, at = match[0], match.start(), 0
    for found in _IN_HEREDOC.finditer(text):
        yield start + at, TOKENS[Part.HEREDOC], text[at : found.start()]
        part = Part.ENVIRONMENT if found[1] else Part.PLACEHOLDER
        yield start + found.start(), TOKENS[part], found[0]
        at = found.end()
    yield start + at, TOKENS[Part.HEREDOC], text[at:]


class EdgefileLexer(RegexLexer):  # type: ignore[misc]  # Pygments says nothing of its types
    """Edgefiles, the configuration of the EdgeScript web server."""

    name = "Edgefile"
    aliases: ClassVar[list[str]] = ["edgefile", "edge"]
    filenames: ClassVar[list[str]] = ["Edgefile", "*.Edgefile", "*.edge"]
    mimetypes: ClassVar[list[str]] = ["text/x-edgefile"]
    flags = re.MULTILINE
    tokens: ClassVar[dict[str, Rules]] = _states()
