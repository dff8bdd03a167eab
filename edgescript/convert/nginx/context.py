"""What the rules of the conversion share: the catalogue, what is said about each line, names, comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from edgescript.catalog import Catalogue
from edgescript.convert.edgefile import Comment, Directive, Node
from edgescript.convert.nginx.lines import Line, walk
from edgescript.convert.nginx.notes import Notes
from edgescript.convert.nginx.variables import Names
from edgescript.convert.nginx.words import not_needed, not_yet, reason
from edgescript.convert.report import Outcome

#: Directives that are made by inlining others (error pages, fallbacks) go no deeper.
MOST_INLINED = 4
#: All that one conversion may write, so that a small file cannot ask for an endless one.
MOST_NODES = 400_000


class TooMuch(Exception):
    """The Edgefile would become too large."""


@dataclass(slots=True)
class Context:
    """One conversion under way."""

    catalogue: Catalogue
    notes: Notes
    names: Names
    #: The whole configuration.
    root: Line
    upstreams: dict[str, Line]
    #: The blocks of `map` and `geo`.
    tables: list[Line]
    #: Whether sites may be HTTPS.
    has_https: bool
    #: The server whose site is being written.
    server: Line = field(init=False)
    #: Names of directives that stand in its locations.
    said_below: set[str] = field(default_factory=set)
    #: Names of matchers that the site has already.
    _matchers: set[str] = field(default_factory=set)
    _commented: set[Line] = field(default_factory=set)
    #: Variables whose values are not known, because what sets them is not converted: those of tables, and of the server.
    lost_tables: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    depth: int = 0
    #: The `root` or `alias` that counts where the next directive is written.
    root_line: Line | None = None
    _is_quiet: bool = False
    _nodes: int = 0

    def enter(self, server: Line, name: str) -> None:
        """Begin the site of a server."""
        self.server = server
        self.root_line = None
        self.lost = set(self.lost_tables)
        self.said_below = {line.name for line in walk(server) if line.parent is not server}
        self._matchers.clear()
        self.names = self.names.with_constants(server_name=name)

    # ---- nodes

    def directive(self, line: Line | None, *words: str, block: list[Node] | None = None) -> Directive:
        """A directive that is made for a line."""
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise TooMuch
        return Directive(list(words), block, origin=None if line is None else (line.place, str(line)))

    def matcher(self, wish: str) -> str:
        """A name for a matcher that the site does not have yet, like the wish."""
        base = re.sub(r"[^a-z0-9]+", "_", wish.lower()).strip("_")[:24].strip("_")
        if not base or base[0].isdigit():
            base = f"at_{base}".strip("_")
        name = base
        number = 1
        while name in self._matchers:
            number += 1
            name = f"{base}_{number}"
        self._matchers.add(name)
        return f"@{name}"

    # ---- comments

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """What is written meanwhile is a second copy: the comments stand at the first."""
        before, self._is_quiet = self._is_quiet, True
        try:
            yield
        finally:
            self._is_quiet = before

    @contextmanager
    def folder(self) -> Iterator[None]:
        """What is said about the folder of files meanwhile holds in a block only."""
        before = self.root_line
        try:
            yield
        finally:
            self.root_line = before

    def comments(self, line: Line) -> list[Node]:
        """The comments of a line, if they are not yet written."""
        if line in self._commented or not line.comments or self._is_quiet:
            return []
        self._commented.add(line)
        return [Comment(_plain(text)) for text in line.comments]

    def commented(self, line: Line, nodes: Iterable[Node]) -> list[Node]:
        """Nodes that stand for a line, below its comments."""
        found = list(nodes)
        return [*self.comments(line), *found] if found else []

    # ---- what is not converted

    def refuse(self, line: Line, why: str, outcome: Outcome = Outcome.NOT) -> list[Node]:
        """Say that a line is not converted, and leave it as a comment."""
        self.notes.say(line, outcome, why)
        return [*self.comments(line), unconverted(line, why, outcome)]

    def unknown(self, line: Line) -> list[Node]:
        """A line that no rule takes: not needed, not there yet, or without a counterpart."""
        needless = not_needed(line)
        if needless is not None:
            self.notes.say(line, Outcome.CONVERTED, f"not needed: {needless}" if needless else "")
            return self.comments(line)
        coming = not_yet(line.name)
        if coming is None:
            return self.refuse(line, reason(line))
        directive, subject = coming
        if self.catalogue.directive(directive) is not None:
            return self.refuse(line, f"write it with `{directive}`: `edge help {directive}`")
        return self.refuse(line, f"{subject}: not there yet", Outcome.NOT_YET)


def unconverted(line: Line, why: str, outcome: Outcome = Outcome.NOT) -> Comment:
    """The comment that stands in place of a line."""
    return Comment(f"{outcome}: {_plain(_whole(line))} ({_plain(why)})")


def _whole(line: Line, depth: int = 0) -> str:
    if line.block is None or depth > 3:
        return str(line)
    inner = " ".join(_whole(one, depth + 1) for one in line.block[:20])
    return str(line).replace("…", inner or " ", 1)


def _plain(text: str) -> str:
    """A text on one line, of characters that an Edgefile may hold."""
    clean = "".join(" " if character in "\r\n\t" or not character.isprintable() else character for character in text)
    return clean.encode("utf-8", "replace").decode("utf-8")[:400]
