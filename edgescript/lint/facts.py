"""What rules look at: the directives, matchers and values of a file, each with its place.

Rules know no entry by name. What they need to know about one, its declaration says (`declare.entries`, `declare.fields`).
Many sites say the same; what depends on an entry's values alone is looked at once for each line that differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

from edgescript.catalog import Catalogue
from edgescript.declare.bind import Bound
from edgescript.declare.entries import Placeholder
from edgescript.declare.kinds import CHANGED_FIELD, EXPRESSION, HEADER_NAME, PATTERN, Kind
from edgescript.declare.plan import Plan, Shape, Slot, plan_of
from edgescript.graph.bound import BoundFile, Definition, Node
from edgescript.graph.load import Analysis
from edgescript.language.tree import Line, Word
from edgescript.text.source import Span


class Value(NamedTuple):
    """One value of an entry, or of a record in it."""

    bound: Bound
    #: The entry or record that has it.
    holder: Any
    slot: Slot
    kind: Kind
    value: Any

    def span(self, text: str) -> Span:
        """Where `text`, which is the value as written, stands."""
        return span_of(self.bound, text)


def span_of(bound: Bound, text: str) -> Span:
    """Where a word of an entry stands; all of its line where it was not written so."""
    for line, word in _words(bound.line):
        if word.value == text:
            return line.span(word)
    return bound.span()


def part_of(span: Span, text: str) -> Span:
    """The stretch of a span where `text` stands; all of it where escapes stand between."""
    start = span.source.text.find(text, span.start, span.end)
    return span if start < 0 else Span(span.source, start, start + len(text), span.imported)


def _words(line: Line) -> Iterator[tuple[Line, Word]]:
    for inner in line.walk():
        for word in inner.words:
            yield inner, word


@dataclass(eq=False)
class Facts:
    """One file, as rules look at it."""

    analysis: Analysis
    bound: BoundFile
    catalogue: Catalogue

    @cached_property
    def blocks(self) -> list[Sequence[Node]]:
        """Every list of directives that run one below the other: of sites, and of the blocks inside."""
        found: list[Sequence[Node]] = [site.nodes for site in self.bound.sites]
        for nodes in found:  # it grows while it is walked
            found.extend([node.block for node in nodes if node.block])
        return found

    @cached_property
    def entries(self) -> list[Bound]:
        """Directives and matchers, those inside matchers too; of many with the same values the first."""
        seen: dict[object, Bound] = {}
        for nodes in self.blocks:
            for node in nodes:
                seen.setdefault(self._sameness(node.bound), node.bound)
        for definition in self.bound.definitions:
            for part in definition.parts:
                for bound in _held(part):
                    seen.setdefault(self._sameness(bound), bound)
        return list(seen.values())

    def _sameness(self, bound: Bound) -> object:
        """What two entries have in common of which one is enough: their values, and what is allowed where they stand."""
        if not self._any_allowed:
            return id(bound.instance)
        return id(bound.instance), frozenset([one.span for one in self.analysis.allowed.at(bound.span())])

    @cached_property
    def _any_allowed(self) -> bool:
        return any(True for _ in self.analysis.allowed)

    @cached_property
    def values(self) -> list[Value]:
        """Every value of a kind or with a risk that rules look at."""
        return [value for bound in self.entries for value in _values(bound, bound.instance)]

    @cached_property
    def patterns(self) -> list[tuple[str, Span]]:
        """Every regular expression, and the word that it stands in."""
        found = [
            (value.value.pattern, value.span(value.value.pattern)) for value in self.values if value.kind is PATTERN
        ]
        for bound in self.entries:
            for holder in _holders(bound.instance):
                found += [(pattern, _span_of_pattern(bound, pattern)) for pattern in getattr(holder, "patterns", ())]
        for value in self.of_kind(EXPRESSION):
            found += [(pattern, part_of(value.span(value.value.text), pattern)) for pattern in value.value.patterns]
        return found

    def of_kind(self, kind: Kind) -> Iterator[Value]:
        return (value for value in self.values if value.kind is kind)

    @cached_property
    def definitions(self) -> set[Definition]:
        """The matchers that a directive uses."""
        return {node.matcher for nodes in self.blocks for node in nodes if node.matcher is not None}

    def placeholder(self, name: str) -> Placeholder | None:
        """The placeholder of `header.X-Level`."""
        return self.catalogue.placeholder(name.partition(".")[0])

    def is_from_client(self, name: str) -> bool:
        """Whether a placeholder's value is whatever text the client chooses."""
        placeholder = self.placeholder(name)
        if placeholder is None:
            return False
        return placeholder.from_client == "all" or (placeholder.from_client == "parts" and "." in name)


def _span_of_pattern(bound: Bound, pattern: str) -> Span:
    for line, word in _words(bound.line):
        if word.value.endswith(pattern):
            return part_of(line.span(word), pattern)
    return bound.span()


def _held(bound: Bound) -> Iterator[Bound]:
    """A matcher and those that it holds (`not`)."""
    yield bound
    slot = plan_of(bound.entry).steps
    if slot is not None:
        for inner in getattr(bound.instance, slot.attribute).lines:
            if isinstance(inner, Bound):
                yield from _held(inner)


def _holders(instance: Any) -> Iterator[Any]:
    """An instance, and the records in it."""
    yield instance
    for slot in _records(plan_of(type(instance))):
        for inner in _each(slot, getattr(instance, slot.attribute)):
            yield from _holders(inner)


@cache
def _records(plan: Plan) -> tuple[Slot, ...]:
    """The slots that hold records or entries; most plans have none."""
    return tuple(slot for slot in plan.slots if slot.shape in (Shape.RECORD, Shape.ENTRY))


def _each(slot: Slot, value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) and slot.shape is not Shape.TUPLE else (value,)


def _values(bound: Bound, instance: Any) -> Iterator[Value]:
    for holder in _holders(instance):
        for slot in _looked_at(plan_of(type(holder))):
            for kind, value in _kinds_of(slot, getattr(holder, slot.attribute)):
                yield Value(bound, holder, slot, kind, value)


#: Kinds of value that rules look at; of others there are too many.
_KINDS = (PATTERN, EXPRESSION, CHANGED_FIELD, HEADER_NAME)


@cache
def _looked_at(plan: Plan) -> tuple[Slot, ...]:
    return tuple(
        slot for slot in plan.slots if slot.field.risk is not None or any(kind in _KINDS for kind in slot.kinds)
    )


def _kinds_of(slot: Slot, value: Any) -> Iterator[tuple[Kind, Any]]:
    if value is None:
        return
    if slot.shape is Shape.TUPLE:
        rows = value if slot.field.repeated else (value,)
        for row in rows:
            yield from zip(slot.kinds, row, strict=True)
    elif isinstance(value, tuple):
        for item in value:
            for one in item if isinstance(item, tuple) else (item,):
                yield slot.kind, one
    else:
        yield slot.kind, value
