"""In which order Caddy runs the directives of a block, whatever the order they are written in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cmp_to_key
from typing import Protocol, TypeVar

#: Earlier ones run first. (Caddy's documentation, "Directive order".)
ORDER = (
    "tracing", "map", "vars", "fs", "root", "log_append", "log_skip", "log_name", "header",
    "copy_response_headers", "request_body", "timeouts", "redir", "method", "rewrite", "uri", "try_files",
    "basic_auth", "forward_auth", "request_header", "encode", "push", "intercept", "templates", "invoke",
    "handle", "handle_path", "route", "abort", "error", "copy_response", "respond", "metrics", "reverse_proxy",
    "php_fastcgi", "file_server", "acme_server",
)  # fmt: skip
#: Older names, and those that are sorted as if they were another.
ALIASES = {"basicauth": "basic_auth", "skip_log": "log_skip"}
#: They have no place in the order: they do not act on requests one by one.
UNORDERED = ("bind", "handle_errors", "log", "tls", "import")

#: Where comparing each with each would take too long, a sort that takes the comparison for transitive does.
_MANY = 1000


class Sortable(Protocol):
    """A directive to be sorted."""

    @property
    def directive(self) -> str: ...
    @property
    def path(self) -> str | None:
        """The one path that its matcher has."""

    @property
    def has_matcher(self) -> bool: ...


S = TypeVar("S", bound=Sortable)


def in_order(steps: Sequence[S], order: Sequence[str]) -> list[S]:
    """The directives in the order in which they run; those of one name by how narrow their matchers are."""
    place = {name: number for number, name in enumerate(order)}
    place["handle_path"] = place.get("handle", len(order))
    groups: dict[int, list[S]] = {}
    for step in steps:
        groups.setdefault(place.get(step.directive, len(order)), []).append(step)
    return [step for number in sorted(groups) for step in _narrow_first(groups[number])]


def _narrow_first(steps: list[S]) -> list[S]:
    """
    Sorted by insertion, as Caddy does it.

    Its comparison is not transitive, a matcher without a path being equal to every other, so that the way counts.
    """
    if len(steps) > _MANY:
        return sorted(steps, key=cmp_to_key(_compare))
    found: list[S] = []
    for step in steps:
        at = len(found)
        while at and _compare(step, found[at - 1]) < 0:
            at -= 1
        found.insert(at, step)
    return found


def _compare(one: Sortable, other: Sortable) -> int:
    """Negative where `one` comes first."""
    if one.directive == "vars":  # what is set last counts: the narrow ones come last, and of equal ones the first
        return 1 if _narrower(one, other) < 0 else -1
    return _narrower(one, other)


def _narrower(one: Sortable, other: Sortable) -> int:
    if not (one.path and other.path):
        return int(other.has_matcher) - int(one.has_matcher)
    this, that = one.path.removesuffix("*"), other.path.removesuffix("*")
    if this == that:
        return len(one.path) - len(other.path)
    return len(that) - len(this) or (1 if this > that else -1)
