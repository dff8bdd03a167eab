"""What the parts of an Edgefile are, for everything that colours one: the one source of all editors' syntaxes.

A line's first word says what the line is and what stands in its block; which words those are depends on the block that the
line itself is in. Blocks of one sort are a *context*. The patterns are written in what Python, Oniguruma (TextMate) and,
translated, Vim have in common. Nothing here knows a directive's name: `table` holds those, written by `make generate`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Part(Enum):
    """What a stretch of text is."""

    COMMENT = "comment"
    QUOTED = "quoted"
    RAW = "raw"
    HEREDOC = "heredoc"
    ESCAPE = "escape"
    PLACEHOLDER = "placeholder"
    ENVIRONMENT = "environment"
    #: `api.example.com`
    SITE = "site"
    #: `(name)`, and a test's `test`
    SNIPPET = "snippet"
    TEST = "test"
    #: `@name`
    NAMED_MATCHER = "named matcher"
    #: `import`
    KEYWORD = "keyword"
    #: A directive that holds directives: `handle`.
    GROUP = "group"
    DIRECTIVE = "directive"
    OPTION = "option"
    #: A line of a block whose first word is the user's own: `vars { colour red }`.
    FIELD = "field"
    MATCHER = "matcher"
    SETTING = "setting"
    #: `request`, `expect`, and what is expected
    TEST_WORD = "test word"
    SUBJECT = "subject"
    NUMBER = "number"
    CONSTANT = "constant"
    BRACE = "brace"
    CONTINUATION = "continuation"


#: Where a word begins, and where it ends.
START, END = r"(?<!\S)", r"(?!\S)"

COMMENT = rf"{START}#.*"
QUOTE, BACKTICK = rf'{START}"', rf"{START}`"
#: The opening line of a heredoc; what it captures is the word that ends it.
HEREDOC = rf"{START}<<([A-Za-z_][\w-]*)[ \t]*$"
ESCAPE = r"\\[\"\\nt{}]"
_DEFAULT = r"(?::(?:[^{}\n]|\{[^{}\n]*\})*)?"
PLACEHOLDER = rf"(?<!\\)\{{(?:args(?:\.[\w-]+|\[[\d:]+\]){_DEFAULT}|[A-Za-z_][\w.-]*)\}}"
ENVIRONMENT = rf"(?<!\\)\{{\$[^{{}}:\s]+{_DEFAULT}\}}"
NAMED_MATCHER = rf"{START}@[\w-]+{END}"
BRACE = r"[{}]"
#: The brace that ends a line, and the one that a line begins with.
OPENING, CLOSING = rf"{START}\{{(?=[ \t]*(?:#.*)?$)", rf"^[ \t]*\}}{END}"
CONTINUATION = r"\\[ \t]*$"

_DURATION = r"(?:\d+(?:\.\d+)?(?:us|µs|ms|s|m|h|d))+"
_SIZE = r"\d+(?:\.\d+)?(?:[KMGT]i?)?B"
_RATE = r"\d+/[\d.]*(?:us|µs|ms|s|m|h|d)"
_CLASS = r"[1-5]xx"
NUMBER = rf"{START}(?:[+-]?\d+(?:\.\d+)?%?|{_DURATION}|{_SIZE}|{_RATE}|{_CLASS}){END}"

#: Parts that can be arguments of any line, by the pattern of the whole part. What comes first in a text wins.
ARGUMENTS: tuple[tuple[Part, str], ...] = (
    (Part.NAMED_MATCHER, NAMED_MATCHER),
    (Part.NUMBER, NUMBER),
    (Part.ENVIRONMENT, ENVIRONMENT),
    (Part.PLACEHOLDER, PLACEHOLDER),
)


@dataclass(frozen=True, slots=True)
class Line:
    """Lines whose first word is one of `words`, or fits `pattern` where there are none."""

    part: Part
    words: tuple[str, ...] = ()
    pattern: str = ""
    #: The context of the block that such a line may have; "" stands for one that nothing is known about.
    block: str = ""
    #: Names that may stand among the arguments, and what they are.
    names: tuple[str, ...] = ()
    named: Part = Part.CONSTANT


@dataclass(frozen=True, slots=True)
class Syntax:
    """All names there are: the lines of each context, in order of precedence, and the constants among values."""

    contexts: dict[str, tuple[Line, ...]]
    constants: tuple[str, ...]


#: The context that a file begins in.
FILE = "file"


def first_word(line: Line) -> str:
    """The pattern of a line's first word, without the blanks before it."""
    return f"(?:{alternatives(line.words)}){END}" if line.words else line.pattern


def alternatives(words: tuple[str, ...]) -> str:
    """One of these words as a pattern; longer ones first, so that no name hides another."""
    return "|".join(_escaped(word) for word in sorted(words, key=lambda word: (-len(word), word)))


def argument(words: tuple[str, ...]) -> str:
    """A whole argument that is one of these words."""
    return f"{START}(?:{alternatives(words)}){END}"


def _escaped(word: str) -> str:
    """Names have little that a pattern could take for its own."""
    return "".join(f"\\{character}" if character in "+.*?()[]{}|^$\\" else character for character in word)
