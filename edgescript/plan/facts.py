"""What a line means, as plain texts that can be compared: the same meaning gives the same texts, however it was written.

No directive is known by name here. Fields are read as they are declared, and shown by their kinds: `60s` and `1m` are the
same, and so are a default that is left out and one that is written.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from edgescript.declare.bind import Bound
from edgescript.declare.entries import Role
from edgescript.declare.fields import Place
from edgescript.declare.plan import Plan, Shape, Slot, plan_of
from edgescript.graph.bound import Definition, Node
from edgescript.graph.outline import addresses_in

#: The values of each field, by the words that lead to it (`keepalive.idle`).
Facts = Mapping[str, tuple[str, ...]]

#: What can be told from the words around it without quotes.
_BARE = re.compile(r'[^\s"]+')


def facts(instance: Any) -> dict[str, tuple[str, ...]]:
    """The facts of a bound entry or record."""
    found: dict[str, tuple[str, ...]] = {}
    for name, values in _facts(plan_of(type(instance)), instance, ""):
        found[name] = found.get(name, ()) + values
    return found


def documented(instance: Any, name: str) -> str:
    """What a fact is about, in its declaration's words."""
    plan = plan_of(type(instance))
    first, _, rest = name.partition(".")
    for slot in plan.slots:
        if slot.name == first:
            inner = getattr(instance, slot.attribute)
            return documented(inner, rest) if rest and slot.shape is Shape.RECORD and inner else slot.field.doc
    return ""


def _facts(plan: Plan, instance: Any, prefix: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    servers = _servers(plan, instance)
    for slot in plan.slots:
        if slot.shape is Shape.STEPS:
            continue
        value = getattr(instance, slot.attribute)
        name = servers if servers and slot.name != servers and _holds_servers(value) else slot.name
        yield from _of_slot(slot, value, prefix + name)


def _servers(plan: Plan, instance: Any) -> str | None:
    """Servers on the line and servers in the block are the same to a request: the field that stands for both."""
    if plan.declaration is None or plan.declaration.role is not Role.TERMINAL:
        return None
    slots = [slot.name for slot in plan.slots if _holds_servers(getattr(instance, slot.attribute))]
    return next((slot.name for slot in plan.slots if slot.place is Place.REST and slots), slots[0] if slots else None)


def _holds_servers(value: Any) -> bool:
    return next(addresses_in(value), None) is not None


def _of_slot(slot: Slot, value: Any, name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if slot.field.repeated or slot.place in (Place.REST, Place.ROWS):
        yield name, tuple(_text(slot, one) for one in value or ())
    elif value is None:
        yield name, ()
    elif slot.shape is Shape.RECORD:
        said = list(_facts(plan_of(type(value)), value, f"{name}."))
        # That it is there says something too (`precompressed`).
        yield from said if any(values for _, values in said) else [(name, ("on",))]
    elif slot.shape is Shape.SEQUENCE:
        yield name, tuple(slot.kind.show(one) for one in value)
    else:
        yield name, (_text(slot, value),)


def _text(slot: Slot, value: Any) -> str:
    """One value as it is written."""
    match slot.shape:
        case Shape.VALUE:
            return slot.kind.show(value)
        case Shape.SEQUENCE:
            return " ".join(_word(slot.kind.show(one)) for one in value)
        case Shape.TUPLE:
            return " ".join(_word(kind.show(one)) for kind, one in zip(slot.kinds, value, strict=True))
        case Shape.ENTRY:
            return " ".join([value.declaration.name, *words(value)])
    return " ".join(words(value))


def words(instance: Any) -> Iterator[str]:
    """An entry or record on one line: its arguments, and its options by name where they say something."""
    for slot in plan_of(type(instance)).slots:
        if slot.shape is Shape.STEPS:
            continue
        for name, values in _of_slot(slot, getattr(instance, slot.attribute), slot.name):
            if slot.place in (Place.ARG, Place.REST, Place.ROWS):
                yield from map(_word, values)
            else:
                yield from (f"{name}={_word(value)}" for value in values)


def _word(text: str) -> str:
    """A text that stands among others on one line: `X "a b"` says something else than `X a b`."""
    return text if _BARE.fullmatch(text) else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Keys:
    """Hashable meanings of nodes and matchers, each made once."""

    def __init__(self) -> None:
        self._facts: dict[int, dict[str, tuple[str, ...]]] = {}
        self._hashed: dict[int, Hashable] = {}
        self._matchers: dict[int, Hashable] = {}
        self._nodes: dict[int, Hashable] = {}

    def facts(self, instance: Any) -> dict[str, tuple[str, ...]]:
        """As `facts`; lines that say the same share their instance."""
        found = self._facts.get(id(instance))
        if found is None:
            found = self._facts[id(instance)] = facts(instance)
        return found

    def values(self, instance: Any) -> Hashable:
        """The facts, to be compared at once."""
        found = self._hashed.get(id(instance))
        if found is None:
            said = {name: values for name, values in self.facts(instance).items() if values}
            found = self._hashed[id(instance)] = (type(instance), tuple(said.items()))
        return found

    def matcher(self, definition: Definition | None) -> Hashable:
        """What a directive's matcher means: the same for `@x path /a` and for `/a`."""
        if definition is None:
            return None
        found = self._matchers.get(id(definition))
        if found is None:
            found = self._matchers[id(definition)] = self._meaning(definition)
        return found

    def _meaning(self, definition: Definition) -> Hashable:
        if definition.paths is not None:
            return frozenset(path.lower() for path in definition.paths)
        return self._all_of(definition.parts)

    def _all_of(self, parts: Sequence[Bound]) -> Hashable:
        """Parts that must all hold. Their order tells only where several catch groups: `{re.1}` is the last one's."""
        meanings = [(self.values(part.instance), self._all_of(held(part))) for part in parts]
        catching = [one for one, part in zip(meanings, parts, strict=True) if hasattr(part.entry, "captures")]
        return frozenset(meanings), tuple(catching)

    def node(self, node: Node) -> Hashable:
        """All that a directive means, its block included."""
        found = self._nodes.get(id(node))
        if found is None:
            found = self._nodes[id(node)] = (
                self.matcher(node.matcher),
                self.values(node.bound.instance),
                self.block(node.block),
            )
        return found

    def block(self, nodes: Sequence[Node]) -> Hashable:
        """All that the directives of a block mean, in their order."""
        return tuple([self.node(node) for node in opened(nodes)])


def held(part: Bound) -> Sequence[Bound]:
    """The matchers that a matcher holds (`not`)."""
    slot = plan_of(part.entry).steps
    return () if slot is None else getattr(part.instance, slot.attribute).lines


def opened(nodes: Sequence[Node]) -> Sequence[Node]:
    """
    The directives of a block, without braces that only group: `route { … }` without a matcher adds nothing.

    It adds something where it keeps neighbours apart that would exclude each other (`handle`).
    """
    if not any(map(_only_groups, nodes)):
        return nodes
    pieces = [opened(node.block) if _only_groups(node) else [node] for node in nodes]
    found = [node for piece in pieces for node in piece]
    if _meetings(found) > _meetings(nodes) + sum(map(_meetings, pieces)):
        return nodes
    return found


def _meetings(nodes: Sequence[Node]) -> int:
    """How many neighbours exclude each other."""
    return sum(is_exclusive(one) and is_exclusive(other) for one, other in pairwise(nodes))


def _only_groups(node: Node) -> bool:
    is_plain = node.role is Role.GROUP and node.matcher is None and not is_exclusive(node)
    return is_plain and not hasattr(node.bound.entry, "build")


def is_exclusive(node: Node) -> bool:
    """Whether it shuts out its neighbours that are so too (`handle`)."""
    return node.bound.declaration.exclusive
