"""What a plan says: changes of the file, and what live traffic notices of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from edgescript.text.source import Span


class Kind(StrEnum):
    """What became of a part of the file."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"
    SHADOWED = "shadowed"  # an earlier directive now takes its requests
    WARNED = "warned"  # another warning that the old file did not give


@dataclass(frozen=True, slots=True)
class Detail:
    """One value that differs."""

    #: The field's name (`keepalive.idle`), or what it is ("matcher").
    name: str
    removed: tuple[str, ...]
    added: tuple[str, ...]
    #: What the field is about.
    doc: str = ""
    #: It stands on the directive's own line, and can be seen there.
    on_line: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One difference of meaning."""

    kind: Kind
    #: "site", "address", "directive", "matcher" or "setting".
    what: str
    #: The site's addresses; None for the global block.
    site: str | None
    #: As written: `proxy /api/* 10.0.0.1:8080`.
    text: str
    old: Span | None
    new: Span | None
    #: The blocks around it, outermost first.
    inside: tuple[str, ...] = ()
    details: tuple[Detail, ...] = ()
    #: As written before, where it is there before and after.
    before: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": str(self.kind),
            "what": self.what,
            "site": self.site,
            "text": self.text,
            "old": None if self.old is None else str(self.old),
            "new": None if self.new is None else str(self.new),
            "before": self.before or None,
            "inside": list(self.inside),
            "details": [
                {"name": one.name, "about": one.doc, "removed": list(one.removed), "added": list(one.added)}
                for one in self.details
            ],
        }


#: Sites that are named where something is the same for many.
NAMED_SITES = 3


def named(sites: Sequence[str]) -> str:
    """Some of many sites by name."""
    more = len(sites) - NAMED_SITES
    shown = ", ".join(sites[:NAMED_SITES])
    return f"{shown} and {more:,} more site{'' if more == 1 else 's'}" if more > 0 else shown


@dataclass(frozen=True, slots=True)
class Effect:
    """What live traffic would notice."""

    #: "requests" or "responses".
    subject: str
    #: Which of them: "/old, POST /api/*", or "that fail with 502"; "" for all.
    routes: str
    #: Addresses of the sites.
    sites: tuple[str, ...]
    #: What of it: "now redirect to /new (301)".
    text: str
    #: One such request, to be tried with `edge explain`.
    example: str

    @property
    def requests(self) -> str:
        """Which requests, in words."""
        sites = named(self.sites)
        if not self.routes or self.routes.startswith("that "):
            return f"{self.subject} to {sites} {self.routes}".rstrip()
        return f"{self.subject} to {self.routes} of {sites}"

    def as_json(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "routes": self.routes,
            "sites": list(self.sites),
            "text": self.text,
            "example": self.example,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """The difference of two files."""

    changes: tuple[Change, ...]
    effects: tuple[Effect, ...]
    #: What could not be tried, and why.
    untried: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "changes": [change.as_json() for change in self.changes],
            "effects": [effect.as_json() for effect in self.effects],
            "untried": list(self.untried),
        }
