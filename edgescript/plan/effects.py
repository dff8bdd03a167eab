"""What live traffic notices of a change: representative requests are walked through both graphs, and the answers compared.

The same walk as in `edge explain` is taken, so nothing is sent to anybody, and what is told is what would happen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

from edgescript.declare.entries import REWRITER, TERMINAL, WRAPPER, Role
from edgescript.declare.fields import Place
from edgescript.declare.plan import plan_of
from edgescript.declare.sample import ANYTHING, Sample, readable
from edgescript.declare.values import show_address
from edgescript.graph.bound import BoundFile, BoundSite, Node
from edgescript.graph.compile import build
from edgescript.graph.explain import walked
from edgescript.graph.model import Graph, Step
from edgescript.graph.outline import addresses_in, on_one_line
from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers
from edgescript.http.message import HTTPError
from edgescript.http.trust import Trust
from edgescript.plan.facts import Keys
from edgescript.plan.model import Detail, Effect
from edgescript.plan.routes import differences
from edgescript.plan.samples import Try, tries

_PLAIN = re.compile(r"(\d+), as no handle_errors fits")
#: Requests that are tried for one site.
MOST_TRIES = 150
#: Routes that are named where one effect reaches several.
NAMED = 4


class Peer:
    """A client without a connection."""

    remote_port = 50_000
    local_ip = "127.0.0.1"
    can_upgrade = False
    trust: Trust | None = None

    def __init__(self, request: Sample) -> None:
        self.scheme = request.scheme
        self.remote_ip = request.ip
        self.local_port = 80

    def inform(self, status: int, headers: Headers) -> None:
        """Interim responses have nowhere to go."""


class Outcome(NamedTuple):
    """What became of a request."""

    answer: str
    steps: tuple[Step, ...]

    @property
    def terminal(self) -> Step | None:
        """The directive that answered, if one did."""
        last = self.steps[-1] if self.steps else None
        return last if last is not None and last.role is TERMINAL else None

    def passed(self, role: Role) -> list[Step]:
        """The steps of a role."""
        return [step for step in self.steps if step.role is role]


class Side(NamedTuple):
    """One site of one file, ready to be walked through."""

    site: BoundSite
    graph: Graph


def side(file: BoundFile, site: BoundSite, directory: str) -> Side | str:
    """A site made ready, or why it cannot be. Only this site is set up, not the file."""
    graph, problems = build(BoundFile([site], file.settings, []), directory=directory, clock=lambda: 0.0)
    return problems[0].message if graph is None else Side(site, graph)


def noticed(
    old: Side, new: Side, host: str, shown: tuple[str, ...], touched: Sequence[Node], keys: Keys
) -> list[Effect]:
    """
    The effects of a change on one host, those that reach most requests together.

    :param host: a host that both sites answer
    :param shown: the addresses that are told
    :param touched: directives that changed: requests for them are tried first
    """
    found: dict[tuple[str, str], list[Try]] = {}
    tried = _tries(old, new, host, touched)
    for one in tried:
        for told in _differences(_outcome(old, one), _outcome(new, one), one, keys):
            found.setdefault(told, []).append(one)
    return [_effect(subject, text, reached, tried, shown) for (subject, text), reached in found.items()]


def _tries(old: Side, new: Side, host: str, touched: Sequence[Node]) -> list[Try]:
    found: dict[Hashable, Try] = {}
    per_side = MOST_TRIES // 2
    for one in (new, old):
        for wanted in islice(tries(one.site, host, touched), per_side):
            found.setdefault(wanted.key, wanted)
    return list(found.values())


def _outcome(one: Side, wanted: Try) -> Outcome:
    request = wanted.request
    fields = [(b"host", request.host.encode())]
    fields += [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    error = None if wanted.status is None else HTTPError(wanted.status)
    try:
        target = request.target.encode()
        exchange = Exchange(Peer(request), request.method.encode(), target, "1.1", fields, b"", 0.0)
    except HTTPError as refused:  # a pattern that no path has
        return Outcome(f"{refused.status} {refused.reason}", ())
    explanation, steps = walked(one.graph, exchange, one.graph.listeners[0], error=error)
    return Outcome(explanation.answer, steps)


# ---- what differs, in words


def _differences(old: Outcome, new: Outcome, wanted: Try, keys: Keys) -> Iterator[tuple[str, str]]:
    """Subject and predicate of each difference."""
    if wanted.status is None:
        yield from _passed(old, new, keys)
    yield from (("requests", text) for text in _answered(old, new, wanted, keys))


def _passed(old: Outcome, new: Outcome, keys: Keys) -> Iterator[tuple[str, str]]:
    """Wrappers and rewriters that a request no longer meets, or now meets."""
    for role, subject in ((WRAPPER, "responses"), (REWRITER, "requests")):
        before, after = old.passed(role), new.passed(role)
        were, are = _counted(before, keys), _counted(after, keys)
        gone = [step for step in before if keys.values(step.entry) in were - are]
        come = [step for step in after if keys.values(step.entry) in are - were]
        yield from ((subject, text) for text in _exchanged(gone, come, keys))
        if were == are and [keys.values(step.entry) for step in before] != [keys.values(step.entry) for step in after]:
            yield subject, f"now pass, in this order: {', '.join(on_one_line(step.text) for step in after)}"


def _counted(steps: Iterable[Step], keys: Keys) -> Counter[Hashable]:
    return Counter(keys.values(step.entry) for step in steps)


def _exchanged(gone: list[Step], come: list[Step], keys: Keys) -> Iterator[str]:
    """What is different without the one and with the other: in the entries' own words, or value by value."""
    for before in gone.copy():
        after = next((step for step in come if type(step.entry) is type(before.entry)), None)
        if after is None or hasattr(after.entry, "effects"):
            continue
        gone.remove(before)
        come.remove(after)
        for detail in differences(keys.facts(before.entry), keys.facts(after.entry), instance=after.entry):
            values = f"{_values(detail.added)} instead of {_values(detail.removed)}"
            yield f"now have {before.name} {detail.name} {values}"
    were, are = _effects(gone), _effects(come)
    yield from (f"now {text}" for text in are if text not in were)
    yield from (f"no longer {text}" for text in were if text not in are)


def _effects(steps: Iterable[Step]) -> list[str]:
    found: dict[str, None] = {}
    for step in steps:
        effects = getattr(step.entry, "effects", None)
        found |= dict.fromkeys([f"pass `{on_one_line(step.text)}`"] if effects is None else effects())
    return list(found)


def _answered(old: Outcome, new: Outcome, wanted: Try, keys: Keys) -> Iterator[str]:
    before, after = old.terminal, new.terminal
    was, now = _told(old.answer, wanted), _told(new.answer, wanted)
    if before is None or after is None or type(before.entry) is not type(after.entry):
        if was != now:
            yield f"now {now}, before {was}"
        return
    details = list(differences(keys.facts(before.entry), keys.facts(after.entry), instance=after.entry))
    servers = {detail.name: _servers(detail, before.entry, after.entry) for detail in details}
    others = [detail for detail in details if not servers[detail.name]]
    yield from filter(None, servers.values())
    if was != now and len(others) == len(details):
        yield f"now {now}, before {was}"
    else:
        yield from _otherwise_the_same(before, after, others)


def _otherwise_the_same(before: Step, after: Step, details: Sequence[Detail]) -> Iterator[str]:
    """The same kind of answer from the same kind of directive, whose values differ."""
    words = {slot.name for slot in plan_of(type(after.entry)).slots if slot.place in (Place.ARG, Place.REST)}
    if any(detail.name in words for detail in details):
        yield f"now reach `{on_one_line(after.text)}` instead of `{on_one_line(before.text)}`"
    for detail in details:
        if detail.name not in words:
            yield f"now have {detail.name} {_values(detail.added)} instead of {_values(detail.removed)}"


def _servers(detail: Detail, before: Any, after: Any) -> str | None:
    """How a change of servers reads, or None where these are no servers."""
    removed, added = detail.removed, detail.added
    known = {
        show_address(address)
        for entry in (before, after)
        for name in entry.__dataclass_fields__
        for address in addresses_in(getattr(entry, name))
    }
    if not known.issuperset([*removed, *added]):
        return None
    if not removed:
        return f"now go to {', '.join(added)} as well"
    if not added:
        return f"no longer go to {', '.join(removed)}"
    return f"now go to {', '.join(added)} instead of {', '.join(removed)}"


def _values(values: Sequence[str]) -> str:
    return ", ".join(on_one_line(value) or '""' for value in values) or "none"


def _told(answer: str, wanted: Try) -> str:
    """An answer for every request that the tried one stands for."""
    target = wanted.request.target
    if ANYTHING in target:
        answer = answer.replace(target, "{uri}")
    return _PLAIN.sub(r"get the plain page of \1", readable(answer))


def _effect(subject: str, text: str, reached: Sequence[Try], tried: Sequence[Try], shown: tuple[str, ...]) -> Effect:
    return Effect(subject, _routes(reached, tried), shown, text, reached[0].command)


def _routes(reached: Sequence[Try], tried: Sequence[Try]) -> str:
    """Which of the tried requests are reached, in words; "" for all."""
    if reached[0].status is None and len(reached) == sum(one.status is None for one in tried):
        return ""
    all_of, these = (Counter(one.target for one in some) for some in (tried, reached))
    whole = {one.target for one in reached if one.is_plain and these[one.target] == all_of[one.target]}
    names = dict.fromkeys(one.text for one in reached if one.is_plain or one.target not in whole)
    more = f" and {len(names) - NAMED} more routes" if len(names) > NAMED else ""
    return f"{', '.join([*names][:NAMED])}{more}"


def together(effects: Iterable[Effect]) -> tuple[Effect, ...]:
    """Effects that are the same on several sites, told once."""
    found: dict[tuple[str, str, str], list[Effect]] = {}
    for effect in effects:
        found.setdefault((effect.subject, effect.routes, effect.text), []).append(effect)
    return tuple(
        replace(same[0], sites=tuple(dict.fromkeys(site for one in same for site in one.sites)))
        for same in found.values()
    )
