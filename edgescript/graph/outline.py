"""Every route of a file as a tree: listeners, sites, blocks with their matchers, directives, error routes.

It is made of the bound file, before anything is set up, so that it can be had on a machine that has neither the certificates
nor the folders of the file. `edge explain --all` prints it, and `edge graph` draws it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from edgescript.declare.bind import Bound
from edgescript.declare.entries import ERRORS, GROUP, RESPONSES, SITE, Role
from edgescript.declare.plan import plan_of
from edgescript.declare.values import Address, show_address
from edgescript.graph.bound import BoundFile, BoundSite, Definition, Node
from edgescript.graph.check import listened, runs_on, site_hosts
from edgescript.graph.layout import written
from edgescript.language.tree import Line

#: What each role is called where a route is shown.
WORDS = {
    Role.TERMINAL: "answer",
    Role.WRAPPER: "wrap",
    Role.REWRITER: "rewrite",
    Role.GROUP: "enter",
    Role.ERRORS: "errors",
    Role.RESPONSES: "intercept",
    Role.SITE: "set",
}
#: Longer texts are cut in the middle of a tree: a page in a `respond` is not what one looks for there.
LONGEST = 100


@dataclass(frozen=True, slots=True)
class Condition:
    """A matcher, and what it means."""

    #: As written where it is used: `/api/*`, `@writes`.
    text: str
    place: str
    #: Of a named matcher: what it says, all of which must hold.
    meaning: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.text}: {' and '.join(self.meaning)}" if self.meaning else self.text


@dataclass(frozen=True, slots=True)
class Item:
    """One directive, with what its block holds."""

    name: str
    #: As written, on one line, without its block.
    text: str
    role: str
    place: str
    condition: Condition | None
    #: Lines of its block that are no directives.
    options: tuple[str, ...]
    items: tuple[Item, ...]
    #: Servers that requests are passed to.
    endpoints: tuple[str, ...]
    #: Of neighbours that exclude each other: the number of this one and how many there are; (0, 0) for others.
    choice: tuple[int, int] = (0, 0)
    #: No request goes on below it.
    ends: bool = False

    def walk(self) -> Iterator[Item]:
        """This item and every one inside."""
        yield self
        for item in self.items:
            yield from item.walk()


@dataclass(frozen=True, slots=True)
class SiteOutline:
    """One site."""

    names: tuple[str, ...]
    place: str
    items: tuple[Item, ...]
    #: `handle_errors`, in the order in which they are tried.
    errors: tuple[Item, ...]
    #: Something always answers, so that nothing is left for 404.
    complete: bool


@dataclass(frozen=True, slots=True)
class ListenerOutline:
    """One address that is listened on, and the numbers of the sites reached there."""

    at: str
    sites: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """Everything that a file answers."""

    listeners: tuple[ListenerOutline, ...]
    sites: tuple[SiteOutline, ...]

    def as_json(self) -> dict[str, Any]:
        """As plain lists, dictionaries and texts."""
        return asdict(self)

    def as_text(self) -> str:
        """For a terminal, see `render`."""
        return render(self)


def outline(file: BoundFile) -> Outline:
    """The tree of a bound file."""
    reached: dict[str, dict[int, None]] = {}
    for number, site in enumerate(file.sites):
        for at in _listeners(site):
            reached.setdefault(at, {})[number] = None
    listeners = tuple(ListenerOutline(at, tuple(numbers)) for at, numbers in reached.items())
    return Outline(listeners, tuple(map(_site, file.sites)))


def _listeners(site: BoundSite) -> Iterator[str]:
    for host in site_hosts(site):
        for address in site.addresses:
            name, port = listened(host, address.address.port)
            yield name if port is None else f"{f'[{name}]' if ':' in name else name}:{port}"


def _site(site: BoundSite) -> SiteOutline:
    errors = [node for node in site.nodes if node.role is ERRORS]
    errors.sort(key=lambda node: _generality(node.bound.instance.statuses))
    running = site.running
    items = (*_items([node for node in site.nodes if node.role is SITE]), *_items(running))
    names = tuple(address.text for address in site.addresses)
    complete = not runs_on(running)
    return SiteOutline(names, str(site.span), items, tuple(_item(node, (0, 0)) for node in errors), complete)


def _generality(statuses: Sequence[Any]) -> int:
    """As the graph sorts them: with a status, with a class, with none."""
    exact = any(not pattern.is_class for pattern in statuses)
    return 0 if exact else 1 if statuses else 2


def _items(nodes: Iterable[Node]) -> tuple[Item, ...]:
    found: list[Item] = []
    for exclusive, neighbours in groupby(nodes, lambda node: node.bound.declaration.exclusive):
        run = [*neighbours]
        many = exclusive and len(run) > 1
        found += [_item(node, (number, len(run)) if many else (0, 0)) for number, node in enumerate(run, 1)]
    return tuple(found)


def _item(node: Node, choice: tuple[int, int]) -> Item:
    bound, holds_directives = node.bound, node.role in (GROUP, ERRORS, RESPONSES)
    return Item(
        name=node.name,
        text=on_one_line(written(bound.line)),
        role=WORDS[node.role],
        place=str(node.span),
        condition=None if node.matcher is None else _condition(node.matcher),
        options=() if holds_directives else tuple(_options(bound.line.block or ())),
        items=_items(node.block),
        endpoints=endpoints(bound) if node.role is Role.TERMINAL else (),
        choice=choice,
        ends=not runs_on([node]),
    )


def on_one_line(text: str) -> str:
    """A text without line breaks, cut where it is very long."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _options(lines: Iterable[Line]) -> Iterator[str]:
    for line in lines:
        if line.words:
            text = on_one_line(written(line))
            inner = "; ".join(_options(line.block)) if line.block else ""
            yield f"{text} {{ {inner} }}" if inner else text


def _condition(matcher: Definition) -> Condition:
    meaning = tuple(_meaning(part) for part in matcher.parts)
    return Condition(matcher.text, str(matcher.span), meaning)


def _meaning(part: Bound) -> str:
    """A part of a named matcher, as it was written; of a block, its lines."""
    words = part.line.words
    first = next((number for number, word in enumerate(words) if word.value == part.declaration.name), 0)
    text = on_one_line(re.sub(r"^expression ", "", written(part.line, first)))
    slot = plan_of(part.entry).steps
    held = getattr(part.instance, slot.attribute).lines if slot is not None and part.line.block else ()
    return f"{text} ({' and '.join(map(_meaning, held))})" if held and part.line.words[0].value == "not" else text


def endpoints(bound: Bound) -> tuple[str, ...]:
    """The servers that a directive names, whatever its fields are called."""
    found: dict[str, None] = {}
    for slot in plan_of(bound.entry).slots:
        for address in addresses_in(getattr(bound.instance, slot.attribute)):
            found[show_address(address)] = None
    return tuple(found)


def addresses_in(value: Any) -> Iterator[Address]:
    """The addresses in a field's value."""
    if isinstance(value, Address):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from addresses_in(one)


# ---- as text


def render(tree: Outline) -> str:
    """The tree for a terminal, in columns: what was written, where, and what it is for."""
    rows: list[_Row] = []
    shown: set[int] = set()
    for listener in tree.listeners:
        rows += [("", "", ""), (f"listen {listener.at}", "", "")] if rows else [(f"listen {listener.at}", "", "")]
        for number in listener.sites:
            rows += _site_rows(tree.sites[number], again=number in shown)
            shown.add(number)
    widths = [min(max((len(row[column]) for row in rows), default=0), WIDEST) for column in (0, 1)]
    return "\n".join(f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}".rstrip() for row in rows)


#: Columns are no wider; a longer text moves what stands behind it.
WIDEST = 72

#: What was written, where, and what it is for.
_Row = tuple[str, str, str]


def _site_rows(site: SiteOutline, *, again: bool) -> Iterator[_Row]:
    yield "", "", ""
    yield f"site {', '.join(site.names)}", site.place, "as above" if again else ""
    if again:
        return
    below = [*site.items, *site.errors]
    last = None if below and site.complete else "└─ otherwise 404"
    for number, item in enumerate(site.items):
        yield from _item_rows(item, "", is_last=last is None and number == len(below) - 1)
    if last is not None:
        yield (last if not site.errors else last.replace("└", "├")), "", "what no directive answers"
    for number, item in enumerate(site.errors, 1):
        yield from _item_rows(item, "", is_last=number == len(site.errors))


def _item_rows(item: Item, indent: str, *, is_last: bool) -> Iterator[_Row]:
    yield f"{indent}{'└─' if is_last else '├─'} {item.text}", item.place, _note(item)
    inside = f"{indent}{'   ' if is_last else '│  '}"
    for option in item.options:
        yield f"{inside}{'│ ' if item.items else '  '}{option}", "", ""
    for number, inner in enumerate(item.items, 1):
        yield from _item_rows(inner, inside, is_last=number == len(item.items))


def _note(item: Item) -> str:
    role = item.role
    if item.choice[1]:
        number, many = item.choice
        role = f"enter, {'if' if item.condition else 'else'}" if number > 1 else f"enter, first that fits of {many}"
    meaning = str(item.condition) if item.condition is not None and item.condition.meaning else ""
    return f"{role}  {meaning}".rstrip()
