"""An Edgefile to be: what a converter makes, and how it is written down.

Words are given as values; quotes are put where the language needs them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_INDENT = "    "
#: What a bare word may be without meaning something else: no blank, no quote at its start, no brace alone.
_BARE = re.compile(r"(?![\"`#]|<<[A-Za-z_])[^\s\\\u200b\ufeff]+")
#: Of braces alone, the lexer makes blocks.
_BRACES = re.compile(r"[{}]+")
#: As `language.lexer` has it: control characters, those that turn the direction of text, and lone surrogates.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(slots=True)
class Directive:
    """A line with words, and perhaps a block."""

    words: list[str]
    #: None where the line has no block.
    block: list[Node] | None = None
    #: Said behind the line, without `#`.
    comment: str | None = None
    #: What it was made of: the place and the text in the original, for the report.
    origin: tuple[str, str] | None = None
    #: It may be left out where it does not fit: it was added, and stands for nothing in the original.
    optional: bool = False
    #: What has to stand behind the comment, where it cannot stay: it keeps something closed.
    instead: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Comment:
    """One or more lines of comment, without their `#`."""

    text: str


@dataclass(slots=True)
class Blank:
    """An empty line."""


Node = Directive | Comment | Blank


@dataclass(slots=True)
class Edgefile:
    """A whole file."""

    #: The lines of the global block.
    settings: list[Node] = field(default_factory=list)
    #: Snippets and sites, with comments between them.
    nodes: list[Node] = field(default_factory=list)

    def __str__(self) -> str:
        """The text, as `edge fmt` would leave it."""
        return "".join(f"{line}\n" for line, _ in self.lines()).rstrip("\n") + "\n"

    def lines(self) -> list[tuple[str, Node]]:
        """Each line of the text with the node that it belongs to, the innermost."""
        blocks = [Directive([], self.settings), Blank(), *self.nodes] if self.settings else self.nodes
        return list(_lines(blocks, 0))


def quoted(word: str) -> str:
    """A word as it is written: bare where that says the same, otherwise in quotes or between backticks."""
    if _BARE.fullmatch(word) and not _BRACES.fullmatch(word) and not word.endswith(";"):
        return word
    if "\n" not in word and "\t" not in word and "`" not in word and ('"' in word or "\\" in word):
        return f"`{word}`"
    # A `\{` is kept for templates by quoting as well; only what quoting itself takes needs a backslash.
    escaped = re.sub(r'\\(?![{}])|"', lambda found: f"\\{found[0]}", word)
    return '"' + escaped.replace("\n", "\\n").replace("\t", "\\t") + '"'


def printable(text: str) -> str:
    """A text without the characters that cannot stand in an Edgefile."""
    return _FORBIDDEN.sub("\ufffd", text)


def _lines(nodes: Sequence[Node], depth: int) -> Iterator[tuple[str, Node]]:
    indent = _INDENT * depth
    before: Node = Blank()
    for node in nodes:
        if isinstance(node, Blank):
            if not isinstance(before, Blank):
                yield "", node
        elif isinstance(node, Comment):
            for line in printable(node.text).splitlines() or [""]:
                yield f"{indent}# {line}".rstrip(), node
        else:
            yield from _directive(node, indent, depth)
        before = node


def _directive(node: Directive, indent: str, depth: int) -> Iterator[tuple[str, Node]]:
    parts = [quoted(word) for word in node.words]
    if node.block is not None:
        parts.append("{")
    if node.comment is not None:
        parts.append(f"# {' '.join(printable(node.comment).split())}".rstrip())
    yield indent + " ".join(parts), node
    if node.block is not None:
        yield from _lines(node.block, depth + 1)
        yield f"{indent}}}", node
