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
_ALONE = ("{", "}", "{}")


@dataclass(slots=True)
class Directive:
    """A line with words, and perhaps a block."""

    words: list[str]
    #: None where the line has no block.
    block: list[Node] | None = None
    #: Said behind the line, without `#`.
    comment: str | None = None


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
        blocks = [Directive([], self.settings), Blank(), *self.nodes] if self.settings else self.nodes
        return "".join(f"{line}\n" for line in _lines(blocks, 0)).strip("\n") + "\n"


def quoted(word: str) -> str:
    """A word as it is written: bare where that says the same, otherwise in quotes or between backticks."""
    if _BARE.fullmatch(word) and word not in _ALONE:
        return word
    if "\n" not in word and "\t" not in word and "`" not in word and ('"' in word or "\\" in word):
        return f"`{word}`"
    # A `\{` is kept for templates by quoting as well; only what quoting itself takes needs a backslash.
    escaped = re.sub(r'\\(?![{}])|"', lambda found: f"\\{found[0]}", word)
    return '"' + escaped.replace("\n", "\\n").replace("\t", "\\t") + '"'


def _lines(nodes: Sequence[Node], depth: int) -> Iterator[str]:
    indent = _INDENT * depth
    for node in nodes:
        if isinstance(node, Blank):
            yield ""
        elif isinstance(node, Comment):
            yield from (f"{indent}# {line}".rstrip() for line in node.text.splitlines())
        else:
            yield from _directive(node, indent, depth)


def _directive(node: Directive, indent: str, depth: int) -> Iterator[str]:
    parts = [quoted(word) for word in node.words]
    if node.block is not None:
        parts.append("{")
    if node.comment is not None:
        parts.append(f"# {' '.join(node.comment.split())}")
    yield indent + " ".join(parts)
    if node.block is not None:
        yield from _lines(node.block, depth + 1)
        yield f"{indent}}}"
