"""Requests that represent the routes of a site: for each directive, some that its matcher and those around it let in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from edgescript.declare.entries import ERRORS, GROUP, SITE
from edgescript.declare.sample import ANYTHING, Sample, fitting, readable
from edgescript.graph.bound import BoundSite, Definition, Node
from edgescript.plan.facts import opened

#: Of the alternatives in one matcher, this many are tried.
TURNS = 6


class Try(NamedTuple):
    """One request to be tried, as a failed one where a status is given."""

    request: Sample
    status: int | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for requests that are the same."""
        request = self.request
        return request.method, request.host, request.target, request.ip, *request.headers.items(), self.status

    @property
    def command(self) -> str:
        """What `edge explain` is asked to see it."""
        request = self.request
        method = "" if request.method == "GET" else f"{request.method} "
        fields = "".join(f" -H '{name}: {value}'" for name, value in request.headers.items())
        ip = "" if request.ip == Sample().ip else f" --ip {request.ip}"
        return f"{method}{request.scheme}://{request.host}{request.target}{fields}{ip}"

    @property
    def target(self) -> str:
        """What is asked for, whatever the method and the header fields."""
        return self.request.target

    @property
    def is_plain(self) -> bool:
        """GET from anywhere, with nothing special about it."""
        request = self.request
        return request.method == "GET" and not request.headers and request.ip == Sample().ip and self.status is None

    @property
    def text(self) -> str:
        """Which requests it stands for: `POST /api/*`."""
        request = self.request
        if self.status is not None:
            return f"that fail with {self.status}"
        if self.is_plain and request.target == f"/{ANYTHING}":
            return "other paths"
        method = "" if request.method == "GET" else f"{request.method} "
        fields = "".join(f" with {name} {readable(value)}" for name, value in request.headers.items())
        ip = "" if request.ip == Sample().ip else f" from {request.ip}"
        return f"{method}{readable(request.target)}{fields}{ip}"


def host_for(name: str) -> str:
    """A host that a site address covers."""
    return fitting(name) or f"{ANYTHING}.example"


def tries(site: BoundSite, host: str, first: Sequence[Node]) -> Iterator[Try]:
    """
    Requests for a site; those that represent the nodes in `first` come first.

    The same request may come more than once.
    """
    base = Sample(host=host, path=f"/{ANYTHING}")
    ids = {id(node) for node in first}
    running = [node for node in site.nodes if node.role not in (ERRORS, SITE)]
    every = list(_of_block(running, base, ""))
    yield from (Try(request) for node, request in every if id(node) in ids)
    for node in site.nodes:
        if node.role is ERRORS and (id(node) in ids or any(id(inner) in ids for inner in _inside(node))):
            yield Try(base, _status(node))
    yield Try(base)
    yield from (Try(request) for node, request in every if id(node) not in ids)


def _inside(node: Node) -> Iterator[Node]:
    for inner in node.block:
        yield inner
        yield from _inside(inner)


def _status(node: Node) -> int:
    """An error that a `handle_errors` answers."""
    patterns = node.bound.instance.statuses
    if not patterns:
        return 500
    first = patterns[0]
    return first.number * 100 if first.is_class else int(first.number)


def _of_block(nodes: Sequence[Node], base: Sample, prefix: str) -> Iterator[tuple[Node, Sample]]:
    for node in opened(nodes):
        shaped = list(_shaped(node.matcher, base, prefix))
        yield from ((node, request) for request in shaped)
        if node.block and shaped:
            yield from _of_block(node.block, *_within(node, shaped[0], prefix))


def _within(node: Node, request: Sample, prefix: str) -> tuple[Sample, str]:
    """What requests inside a block begin with: `handle_path` takes its path away, and the paths inside come behind it."""
    takes_path_away = node.role is GROUP and hasattr(node.bound.entry, "build") and node.paths
    if not takes_path_away or node.bound.declaration.takes_matcher:
        return request, prefix
    return request, request.path.removesuffix(ANYTHING).rstrip("/")


def _shaped(matcher: Definition | None, base: Sample, prefix: str) -> Iterator[Sample]:
    """The base request as a matcher wants it, with each of its alternatives in turn."""
    seen: set[tuple[object, ...]] = set()
    for turn in range(TURNS if matcher is not None else 1):
        request = base.copy()
        if matcher is not None:
            _shape(matcher, request, turn, prefix)
        key = Try(request).key
        if key not in seen:
            seen.add(key)
            yield request


def _shape(matcher: Definition, request: Sample, turn: int, prefix: str) -> None:
    before = request.path
    if matcher.paths and not matcher.parts:
        request.path = fitting(matcher.paths[turn % len(matcher.paths)])
    for part in matcher.parts:
        shape = getattr(part.instance, "sample", None)
        if shape is not None:
            shape(request, turn)
    if request.path != before:
        request.path = prefix + (request.path if request.path.startswith("/") else f"/{request.path}")
