"""What a feature looks at: the text of one document, its tree, and what else is known around it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lsprotocol import types

from edgescript.catalog import Catalogue
from edgescript.language.parse import parse
from edgescript.language.tree import Line, Tree
from edgescript.lsp.positions import Positions, changed
from edgescript.text.problem import Problem
from edgescript.text.source import Source

#: Characters; ten times as many as 2,000 lines have.
_LARGE = 500_000
#: A file's URI, and its path (RFC 8089, section 2); whichever host it names, this one is meant.
_FILE = re.compile(r"file:(?://[^/?#]*)?(/[^?#]*)")


def path_of(uri: str) -> str:
    """The path of a file; what is no file is called by its URI."""
    match = _FILE.match(uri)
    path = unquote(match[1], errors="surrogateescape") if match else ""
    return os.path.normpath(path) if path and "\0" not in path else uri


def uri_of(path: str) -> str:
    """The URI of a file, whose name may be no UTF-8; what is no file is called as it is."""
    return Path(os.path.normpath(path)).as_uri() if os.path.isabs(path) else path


def is_of(source: Source, path: str) -> bool:
    """Whether a source is a file; where it was imported by way of `..`, its name says so."""
    return source.name == path or os.path.normpath(source.name) == path


@dataclass(frozen=True, eq=False)
class Document:
    """One version of an open document; a change makes another one."""

    uri: str
    version: int
    text: str
    encoding: str = "utf-16"

    @cached_property
    def path(self) -> str:
        return path_of(self.uri)

    @cached_property
    def source(self) -> Source:
        return Source(self.path, self.text)

    @cached_property
    def positions(self) -> Positions:
        return Positions(self.text, self.encoding)

    def changed(self, version: int, changes: Sequence[types.TextDocumentContentChangeEvent]) -> Document:
        """The next version."""
        text, positions = self.text, self.positions if changes else None
        for change in changes:
            text, positions = changed(text, change, self.encoding, positions), None
        return Document(self.uri, version, text, self.encoding)

    @property
    def is_large(self) -> bool:
        """Whether its problems are shown and that is all, because anything else would take longer than someone waits."""
        return len(self.text) > _LARGE

    @cached_property
    def parsed(self) -> tuple[Tree, list[Problem]]:
        return parse(self.source)

    @property
    def tree(self) -> Tree:
        return self.parsed[0]


@dataclass(frozen=True, eq=False)
class View:
    """A document with everything that is known around it."""

    document: Document
    catalogue: Catalogue
    #: The trees of the other files that belong to it: those that it imports, and those that import it.
    others: Sequence[Tree] = ()
    #: The problems that were found in this version of the document; none while it is being looked at.
    problems: Sequence[Problem] = ()
    #: What the client sent as `initializationOptions`.
    options: Mapping[str, Any] = field(default_factory=dict)
    #: Whether the client fills in snippets (`$1`).
    snippets: bool = False

    @cached_property
    def trees(self) -> list[Tree]:
        return [self.document.tree, *self.others]

    @cached_property
    def defined_snippets(self) -> dict[str, Line]:
        """The snippets of all trees by name; the first of each counts, as it does for `import`."""
        found: dict[str, Line] = {}
        for tree in self.trees:
            for line in tree.lines:
                if name := snippet_name(line):
                    found.setdefault(name, line)
        return found

    def is_own(self, source: Source) -> bool:
        """Whether a source is the document, and not another file."""
        return is_of(source, self.document.path)

    def positions(self, source: Source) -> Positions:
        """Of the document, or of another source."""
        if self.is_own(source):
            return self.document.positions
        if source not in self._positions:
            self._positions[source] = Positions(source.text, self.document.encoding)
        return self._positions[source]

    @cached_property
    def _positions(self) -> dict[Source, Positions]:
        """Those of other sources, which may be asked for many times."""
        return {}


def snippet_name(line: Line) -> str | None:
    """The name that `(name) { … }` defines."""
    if len(line.words) != 1 or line.block is None or line.words[0].quote:
        return None
    word = line.words[0].value
    return word[1:-1] if len(word) > 2 and word[0] == "(" and word[-1] == ")" else None
