"""The second pass: what can be seen only by looking at directives side by side.

- E201: a directive that can never run, because what is above it answers every request that would reach it;
- W201: a `handle` that an earlier one shadows;
- W202: a wrapper below every directive whose responses it could act on;
- E202: two sites with the same address.

Nothing is guessed: a matcher is compared with another only where both are nothing but paths, or are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgescript.declare.entries import ERRORS, GROUP, RESPONSES, REWRITER, SITE, TERMINAL, WRAPPER
from edgescript.graph.bound import BoundAddress, BoundFile, BoundSite, Definition, Node
from edgescript.graph.patterns import Shape, covers, shape
from edgescript.text.problem import Note, Problem


def check(file: BoundFile) -> list[Problem]:
    """Every problem of this kind in a file."""
    found = list(_same_addresses(file.sites))
    for site in file.sites:
        running = site.running
        found += _unreachable(running)
        found += _late_wrappers(running)
        for node in site.nodes:
            if node.role is ERRORS:
                found += _unreachable(node.block)
    return found


# ---- sites


def site_hosts(site: BoundSite) -> tuple[str, ...]:
    """The addresses of this machine that a site is listened for on; ("",) for all."""
    hosts = [host for node in site.nodes if node.role is SITE for host in getattr(node.bound.instance, "hosts", ())]
    return tuple(hosts) or ("",)


def listened(host: str, port: int) -> tuple[str, int | None]:
    """A listener's host and port; `unix//run/edge.sock` is a path and has no port."""
    if host.startswith("unix/"):
        return host.removeprefix("unix/"), None
    return host.removeprefix("[").removesuffix("]"), port


def _same_addresses(sites: Sequence[BoundSite]) -> Iterator[Problem]:
    seen: dict[tuple[str, tuple[str, int | None]], BoundAddress] = {}
    for site in sites:
        hosts = site_hosts(site)
        for bound in site.addresses:
            for host in hosts:
                key = (bound.address.host, listened(host, bound.address.port))
                first = seen.setdefault(key, bound)
                if first is not bound:
                    yield _same_address(bound, first)
                    break


def _same_address(bound: BoundAddress, first: BoundAddress) -> Problem:
    message = f"there is a site {bound.text} already"
    if bound.text != first.text:
        message = f"the site {bound.text} has the same address as {first.text}"
    hint = "put the directives of both into one block"
    return Problem("E202", message, bound.span, (Note("the first is here", first.span),), hint)


# ---- what can never run


def _unreachable(nodes: Sequence[Node]) -> Iterator[Problem]:
    """E201 and W201 of one block and of the blocks inside it."""
    taken = _NOTHING_TAKEN
    closed: Node | None = None
    for run in _runs(nodes):
        if closed is not None:
            yield _never_runs(run[0], closed)
            return
        if run[0].role is WRAPPER and run[0].matcher is None:
            continue  # it sees whatever comes, and neither answers nor changes it
        for node in run:
            above = None if node.matcher is None else taken.whole(node.matcher)
            if above is not None:
                yield _never_runs(node, above)
            if node.block:
                yield from _unreachable(node.block)
        if len(run) > 1:
            yield from _shadowed(run)
        if _always_answers(run):
            closed = run[-1]
        elif any(map(_changes_request, run)):
            taken = _NOTHING_TAKEN
        elif len(run) == 1 and run[0].role is TERMINAL and _answers(run[0]):
            if taken is _NOTHING_TAKEN:
                taken = _Taken()
            taken.add(run[0])


def _runs(nodes: Sequence[Node]) -> Iterator[Sequence[Node]]:
    """Neighbours that exclude each other stay together; a directive of another kind is a run of its own."""
    together: list[Node] = []
    for node in nodes:
        if node.bound.declaration.exclusive:
            together.append(node)
            continue
        if together:
            yield together
            together = []
        yield (node,)
    if together:
        yield together


def _always_answers(run: Sequence[Node]) -> bool:
    """Whether no request comes out behind a run of directives."""
    return _matches_all(run[-1]) and all(map(_answers, run))


def _answers(node: Node) -> bool:
    """Whether a directive answers every request that its matcher lets in."""
    if node.role is TERMINAL:
        return not getattr(node.bound.instance, "falls_through", False)
    if node.role is RESPONSES:
        return False
    return bool(node.block) and any(_always_answers(run) for run in _runs(node.block))


def runs_on(nodes: Sequence[Node]) -> bool:
    """Whether a request may come out behind directives of one block without an answer."""
    return not any(_always_answers(run) for run in _runs(nodes))


def _matches_all(node: Node) -> bool:
    return node.matcher is None or (node.paths is not None and "*" in node.paths)


def _shadowed(run: Sequence[Node]) -> Iterator[Problem]:
    """Of blocks that exclude each other, those that an earlier one leaves no request."""
    taken = _Taken()
    for number, node in enumerate(run):
        above = None if node.matcher is None else taken.whole(node.matcher)
        if above is not None:
            message = f"this {node.name} never runs: the one above it takes every request that it matches"
            yield Problem(
                "W201", message, node.span, (Note("this takes them", above.span),), "put the narrower one first"
            )
        if _matches_all(node) and number + 1 < len(run):
            yield _never_runs(run[number + 1], node)
            return
        taken.add(node)


def _never_runs(node: Node, above: Node) -> Problem:
    if _matches_all(above):
        message = f"this {node.name} can never run: the {above.name} above it takes every request"
    else:
        message = f"this {node.name} can never run: the {above.name} above it takes every request that it matches"
    note = Note(f"this {above.name} takes them", above.span)
    return Problem("E201", message, node.span, (note,), "move it up, or give the one above it a narrower matcher")


class _Taken:
    """
    Which requests are answered for certain by directives further up.

    A thousand routes are looked up in it, not compared each with each.
    """

    def __init__(self) -> None:
        self._exact: dict[str, Node] = {}
        self._prefixes: dict[str, Node] = {}
        self._lengths: set[int] = set()
        self._others: list[tuple[str, Node]] = []
        self._named: dict[Definition, Node] = {}

    def add(self, node: Node) -> None:
        if node.matcher is None:
            return
        self._named.setdefault(node.matcher, node)
        for pattern in node.paths or ():
            kind, text = shape(pattern)
            if kind is Shape.EXACT:
                self._exact.setdefault(text, node)
            elif kind is Shape.PREFIX:
                self._prefixes.setdefault(text, node)
                self._lengths.add(len(text))
            else:
                self._others.append((pattern, node))

    def whole(self, matcher: Definition) -> Node | None:
        """The directive that takes the (last) requests which fit `matcher`, if none are left."""
        if matcher in self._named:
            return self._named[matcher]
        if not matcher.paths:
            return None
        takers = [self._taker(pattern) for pattern in matcher.paths]
        return takers[-1] if all(taker is not None for taker in takers) else None

    def _taker(self, pattern: str) -> Node | None:
        kind, text = shape(pattern)
        if kind is Shape.EXACT and text in self._exact:
            return self._exact[text]
        known = text if kind is Shape.EXACT or kind is Shape.PREFIX else text.partition("*")[0]
        if kind in (Shape.EXACT, Shape.PREFIX, Shape.GLOB):
            for length in self._lengths:
                node = self._prefixes.get(known[:length])
                if node is not None:
                    return node
        return next((node for wide, node in self._others if covers(wide, pattern)), None)


#: Stays empty.
_NOTHING_TAKEN = _Taken()


def _changes_request(node: Node) -> bool:
    if node.role is REWRITER:
        return True
    return node.role is GROUP and (hasattr(node.bound.entry, "build") or any(map(_changes_request, node.block)))


# ---- wrappers


def _late_wrappers(nodes: Sequence[Node]) -> Iterator[Problem]:
    """Wrappers at the end of a site, with nothing below them that answers, but something above."""
    last, late = behind_answers(nodes)
    for node in late:
        if node.role is WRAPPER or node.role is RESPONSES:
            assert last is not None, "it is late behind something"
            message = f"this {node.name} sees nothing that the {last.name} above it answers"
            hint = f"move it above the {last.name}"
            yield Problem("W202", message, node.span, (Note("this answers before", last.span),), hint)


def behind_answers(nodes: Sequence[Node]) -> tuple[Node | None, Sequence[Node]]:
    """The last directive of a site that may answer, and those behind it; none where nothing reaches them or can answer."""
    answering = [number for number, node in enumerate(nodes) if node.role in (TERMINAL, GROUP)]
    if not answering or any(_always_answers(run) for run in _runs(nodes)):
        return None, ()
    return nodes[answering[-1]], nodes[answering[-1] + 1 :]
