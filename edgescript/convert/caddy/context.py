"""What the conversion of one Caddyfile knows and notes on its way."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from edgescript.catalog import Catalogue
from edgescript.convert.caddy import order
from edgescript.convert.caddy.tree import Line
from edgescript.convert.edgefile import Directive, Edgefile, Node
from edgescript.convert.report import Outcome, Report

_SNIPPET = re.compile(r"[A-Za-z][\w-]*", re.ASCII)


class NotConverted(Exception):
    """A line cannot be converted, for this reason."""

    def __init__(self, reason: str, outcome: Outcome = Outcome.NOT) -> None:
        super().__init__(reason)
        self.reason = reason
        self.outcome = outcome


def not_yet(what: str) -> NotConverted:
    """For what the program will have and has not."""
    return NotConverted(f"this version has no {what} yet", Outcome.NOT_YET)


@dataclass(slots=True)
class Context:
    """The conversion of one file."""

    catalogue: Catalogue
    report: Report = field(default_factory=Report)
    #: `invoke NAME` runs these.
    routes: dict[str, list[Line]] = field(default_factory=dict)
    order: list[str] = field(default_factory=lambda: list(order.ORDER))
    http_port: str = "80"
    https_port: str = "443"
    #: What `map` of this site sets: `{name}` is `{vars.name}`.
    variables: set[str] = field(default_factory=set)
    #: Named matchers in sight, innermost last, each with the one path it has; the reason, where one is not converted.
    matchers: list[dict[str, str | None]] = field(default_factory=list)
    broken: dict[str, NotConverted] = field(default_factory=dict)
    #: Of those that are not converted: the lines that are, which together fit the same requests and more.
    wider: dict[str, list[Node]] = field(default_factory=dict)
    #: Where the directives of named routes are being converted, which may not invoke themselves.
    invoked: list[str] = field(default_factory=list)
    #: What differs in the line that is being converted.
    remarks: list[str] = field(default_factory=list)
    #: Snippets are kept where what they hold stays together, by their names, with their text.
    keeps_snippets: bool = True
    snippets: dict[str, tuple[Directive, str]] = field(default_factory=dict)
    #: Numbers for the matchers that are made up.
    made: int = 0

    def differs(self, reason: str) -> None:
        """The line that is being converted keeps not all of its meaning."""
        if reason not in self.remarks:
            self.remarks.append(reason)

    def note(self, line: Line, outcome: Outcome, reason: str = "") -> None:
        """What became of a line."""
        self.report.add(outcome, line.place, line.written, reason)

    def left_out(self, line: Line, error: NotConverted) -> Directive | None:
        """Note that a line within a directive's block is not converted."""
        self.note(line, error.outcome, error.reason)
        return None

    def keeps(self, name: str, nodes: list[Node]) -> bool:
        """Whether `import NAME` can stand for these lines: it stands for the same ones everywhere."""
        if not self.keeps_snippets or not nodes or not _SNIPPET.fullmatch(name):
            return False
        snippet = Directive([f"({name})"], nodes)
        text = str(Edgefile(nodes=[snippet]))
        return self.snippets.setdefault(name, (snippet, text))[1] == text

    def new_matcher(self, what: str) -> str:
        """A name that no matcher of the file has."""
        self.made += 1
        return f"@{what}_{self.made}"

    def path_of(self, name: str) -> str | None:
        """The one path that a named matcher has, which decides where its directives are sorted."""
        for known in reversed(self.matchers):
            if name in known:
                return known[name]
        raise NotConverted(f"there is no matcher {name}")
