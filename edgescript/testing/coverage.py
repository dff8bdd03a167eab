"""What of an Edgefile its tests touched: sites, routes, named matchers and directives.

A directive is touched when it ran, a route (`handle` and other blocks, `handle_errors`) when it was entered, a named matcher
when it matched, a site when a request came to it. What is imported in several sites is one thing, as it is one text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from edgescript.declare.entries import Role
from edgescript.graph.explain import heading
from edgescript.graph.model import Choice, Graph, Matcher, Program, Site, Step
from edgescript.testing.walk import Touch
from edgescript.text.source import Span


class Part(NamedTuple):
    """One thing that a test can touch."""

    #: "site", "route", "matcher" or "directive".
    kind: str
    text: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.kind} {self.text}"


class Coverage:
    """Collects what tests touch."""

    def __init__(self) -> None:
        self._touched: defaultdict[int, set[Touch]] = defaultdict(set)

    def add(self, touched: Mapping[int, set[Touch]]) -> None:
        """What one test touched, by the positions of sites."""
        for site, touches in touched.items():
            self._touched[site] |= touches

    def parts(self, graph: Graph) -> dict[Part, bool]:
        """Everything that there is to touch, and whether it was, in the order of the file."""
        found: dict[Part, bool] = {}
        for number, site in enumerate(graph.sites):
            for part, touches in _of_site(site):
                reached = number in self._touched and (touches is None or touches in self._touched[number])
                found[part] = found.get(part, False) or reached
        return dict(sorted(found.items(), key=lambda item: (item[0].file, item[0].line)))


def percentage(parts: Mapping[Part, bool]) -> float:
    """Of all parts, how many were touched; of none, all."""
    return 100 * sum(parts.values()) / len(parts) if parts else 100.0


def _of_site(site: Site) -> Iterator[tuple[Part, Touch | None]]:
    if site.span is not None:
        yield _part("site", ", ".join(site.names), site.span), None
    yield from _of_program(0, site.program)
    for number, route in enumerate(site.errors, 1):
        if route.span is not None:
            yield _part("route", heading(route), route.span), (number, -1, -1)
        yield from _of_program(number, route.program)


def _of_program(number: int, program: Program) -> Iterator[tuple[Part, Touch]]:
    for position, step in enumerate(program.steps):
        yield from _of_step(step, (number, position, -1))
        for taken, choice in enumerate(step.choices):
            yield from _of_choice(choice, program, (number, position, taken))


def _of_step(step: Step, touch: Touch) -> Iterator[tuple[Part, Touch]]:
    if step.role is None or step.span is None:
        return
    yield _part("route" if step.role is Role.GROUP else "directive", step.text, step.span), touch
    if step.matcher is not None:
        yield from _named(step.matcher, touch)


def _of_choice(choice: Choice, program: Program, touch: Touch) -> Iterator[tuple[Part, Touch]]:
    behind = program.steps[choice.position]
    if choice.span is not None and (behind.span != choice.span or behind.role is Role.GROUP):
        yield _part("route", choice.text, choice.span), touch
    if choice.matcher is not None:
        yield from _named(choice.matcher, touch)


def _named(matcher: Matcher, touch: Touch) -> Iterator[tuple[Part, Touch]]:
    """A matcher with a name is listed where it is defined, however often it is used."""
    if matcher.text.startswith("@") and matcher.span is not None:
        yield _part("matcher", matcher.text, _definition(matcher)), touch


def _definition(matcher: Matcher) -> Span:
    first = matcher.parts[0].span if matcher.parts else None
    assert matcher.span is not None, "it was written"
    return first or matcher.span


def _part(kind: str, text: str, span: Span) -> Part:
    return Part(kind, text, span.source.name, span.source.position(span.start)[0])
