"""Two files compared by meaning: every address with the site that answers it, before and after.

What does not change what a request meets is no change: formatting, comments, the order of sites, snippets written out, other
names of matchers, a site split in two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from edgescript.declare.entries import ERRORS, SITE
from edgescript.graph.bound import BoundAddress, BoundFile, BoundSite, Node
from edgescript.graph.check import listened, site_hosts
from edgescript.graph.load import Analysis
from edgescript.graph.match import HostTable
from edgescript.plan.effects import noticed, side, together
from edgescript.plan.facts import Keys
from edgescript.plan.model import Change, Effect, Kind, Plan, named
from edgescript.plan.routes import Routes, differences
from edgescript.plan.samples import host_for
from edgescript.text.problem import Problem, Severity

#: Pairs of sites whose effects are tried; the changes of all are told.
MOST_SITES = 200


class _Key(NamedTuple):
    """Where a request comes in: the listener's host and port, and the host it is for."""

    at: str
    port: int | None
    host: str


class _Place(NamedTuple):
    """An address of a site."""

    address: BoundAddress
    site: BoundSite


def plan(old: Analysis, new: Analysis, *, directory: str = ".") -> Plan:
    """
    Everything that changes from one file to the other. Both are without errors.

    :param directory: where relative paths of both start: one is meant to take the place of the other
    """
    return _Planning(old, new, directory).plan()


class _Planning:
    def __init__(self, old: Analysis, new: Analysis, directory: str) -> None:
        assert old.bound is not None, "a file with errors has no plan"
        assert new.bound is not None, "a file with errors has no plan"
        self.old = old.bound
        self.new = new.bound
        self.directory = directory
        self._was, self._is = old.problems, new.problems
        self.keys = Keys()
        self.changes: list[Change] = []
        self.effects: list[Effect] = []
        self.untried: list[str] = []
        self._old_places, self._new_places = _places(old.bound), _places(new.bound)
        self._left = MOST_SITES
        self._skipped = 0

    def plan(self) -> Plan:
        self._settings()
        pairs = _pairs(self._old_places, self._new_places)
        for pair in pairs.values():
            self._site(pair)
        paired_old = {was for pair in pairs.values() for was in pair.old_keys}
        paired_new = {now for pair in pairs.values() for now in pair.new_keys}
        self._lopsided([key for key in self._old_places if key not in paired_old], gone=True)
        self._lopsided([key for key in self._new_places if key not in paired_new], gone=False)
        self._warnings()
        if self._skipped:
            self.untried.append(f"requests to {self._skipped:,} more sites that differ")
        return Plan(tuple(self.changes), together(self.effects), tuple(self.untried))

    # ---- the global block

    def _settings(self) -> None:
        kinds = {*self.old.settings, *self.new.settings}
        found = [self._setting(kind) for kind in sorted(kinds, key=lambda kind: str(kind.declaration.name))]
        self.changes += [change for change in found if change is not None]

    def _setting(self, kind: type[Any]) -> Change | None:
        """What became of a setting; one that is not written has its defaults, or is not there if it has none."""
        old, new = self.old.settings, self.new.settings
        before, after, name = old[kind], new[kind], str(kind.declaration.name)
        spans = old.spans.get(kind), new.spans.get(kind)
        if before is None or after is None:
            words = [word for values in self.keys.facts(after or before).values() for word in values]
            made = Kind.ADDED if before is None else Kind.REMOVED
            return Change(made, "setting", None, " ".join([name, *words]), *spans)
        if self.keys.values(before) == self.keys.values(after):
            return None
        details = differences(self.keys.facts(before), self.keys.facts(after), instance=after)
        return Change(Kind.CHANGED, "setting", None, name, *spans, details=tuple(details))

    # ---- sites

    def _site(self, pair: _Pair) -> None:
        routes = Routes(self.keys, ", ".join(pair.names))
        self._listens(pair)
        before, after = pair.old, pair.new
        for was, now in zip(_parts(before), _parts(after), strict=True):
            routes.compare(was, now)
        if not routes.changes:
            return
        self.changes += routes.changes
        key = pair.new_keys[0]
        self._try(before, after, key.host, tuple(pair.names), routes)

    def _listens(self, pair: _Pair) -> None:
        """Where requests come in, if that is somewhere else now."""
        before, after = (dict.fromkeys(map(_at, keys)) for keys in (pair.old_keys, pair.new_keys))
        if before.keys() != after.keys():
            text = f"now come in at {', '.join(after)}, before at {', '.join(before)}"
            self.effects.append(Effect("requests", "", tuple(pair.names), text, ""))

    def _try(self, old: BoundSite, new: BoundSite, host: str, shown: tuple[str, ...], routes: Routes) -> None:
        if not self._left:
            self._skipped += 1
            return
        self._left -= 1
        before = side(self.old, old, self.directory)
        after = side(self.new, new, self.directory)
        for one in (before, after):
            if isinstance(one, str):
                self.untried.append(f"requests to {named(shown)}: {one}")
                return
        assert not isinstance(before, str)
        assert not isinstance(after, str)
        self.effects += noticed(before, after, host_for(host), shown, routes.touched, self.keys)

    def _lopsided(self, keys: list[_Key], *, gone: bool) -> None:
        """Addresses that only one of the files has: of sites that are new or gone, or of one that stays without them."""
        places, others = (self._old_places, self._new_places) if gone else (self._new_places, self._old_places)
        by_site: dict[int, list[_Key]] = {}
        for key in keys:
            by_site.setdefault(id(places[key].site), []).append(key)
        lonely = set(keys)
        staying = {id(place.site) for key, place in places.items() if key not in lonely}
        tables = _Tables(others)
        for number, mine in by_site.items():
            self._tell_addresses([places[key] for key in mine], is_site=number not in staying, gone=gone)
            for key in mine:
                self._who_answers(key, places[key], tables, gone=gone)

    def _tell_addresses(self, places: list[_Place], *, is_site: bool, gone: bool) -> None:
        text = ", ".join(dict.fromkeys(place.address.text for place in places))
        span = places[0].site.span if is_site else places[0].address.span
        what = "site" if is_site else "address"
        if gone:
            self.changes.append(Change(Kind.REMOVED, what, text, text, span, None))
        else:
            self.changes.append(Change(Kind.ADDED, what, text, text, None, span))

    def _who_answers(self, key: _Key, place: _Place, tables: _Tables, *, gone: bool) -> None:
        other = tables.find(key)
        if other is not None:
            sites = (place.site, other) if gone else (other, place.site)
            self._try(*sites, key.host, (place.address.text,), Routes(self.keys, ""))
            return
        text = "are not answered any more" if gone else "are answered now"
        why = "no other site has the host" if tables.listens(key) else "nothing else listens there"
        port = "" if key.port in (80, None) else f":{key.port}"
        command = f"http://{host_for(key.host)}{port}/"
        self.effects.append(Effect("requests", "", (place.address.text,), f"{text} ({why})", command))

    # ---- warnings

    def _warnings(self) -> None:
        """Warnings that the old file did not give: what an earlier directive now shadows, above all."""
        known = Counter(map(_warning, _only_warnings(self._was)))
        for problem in _only_warnings(self._is):
            key = _warning(problem)
            if known[key]:
                known[key] -= 1
                continue
            kind = Kind.SHADOWED if problem.code == "W201" else Kind.WARNED
            text = f"{problem.code}: {problem.message}"
            self.changes.append(Change(kind, "warning", None, text, None, problem.span))


def _parts(site: BoundSite) -> tuple[list[Node], list[Node], list[Node]]:
    """What is said about the site, what runs, and what answers errors."""
    about = [node for node in site.nodes if node.role is SITE]
    errors = [node for node in site.nodes if node.role is ERRORS]
    return about, [node for node in site.nodes if node.role not in (ERRORS, SITE)], errors


# ---- addresses


def _places(file: BoundFile) -> dict[_Key, _Place]:
    found: dict[_Key, _Place] = {}
    for site in file.sites:
        for at in site_hosts(site):
            for address in site.addresses:
                key = _Key(*listened(at, address.address.port), address.address.host)
                found.setdefault(key, _Place(address, site))
    return found


def _at(key: _Key) -> str:
    return key.at if key.port is None else f"{key.at or '*'}:{key.port}"


class _Pair(NamedTuple):
    """A site before and after, and the addresses at which one follows the other."""

    old: BoundSite
    new: BoundSite
    names: list[str]
    old_keys: list[_Key]
    new_keys: list[_Key]


def _pairs(old: Mapping[_Key, _Place], new: Mapping[_Key, _Place]) -> dict[tuple[int, int], _Pair]:
    """Sites that answer the same addresses; where that is another listener, for the same host and port."""
    found: dict[tuple[int, int], _Pair] = {}
    left = {(key.host, key.port): key for key in old if key not in new}
    for key, place in new.items():
        was = key if key in old else left.pop((key.host, key.port), None)
        if was is None:
            continue
        before = old[was].site
        pair = found.setdefault((id(before), id(place.site)), _Pair(before, place.site, [], [], []))
        if place.address.text not in pair.names:
            pair.names.append(place.address.text)
        pair.old_keys.append(was)
        pair.new_keys.append(key)
    return found


class _Tables:
    """Which site of a file answers a host that has no site of its own."""

    def __init__(self, places: Mapping[_Key, _Place]) -> None:
        hosts: dict[tuple[str, int | None], list[tuple[str, BoundSite]]] = {}
        for key, place in places.items():
            hosts.setdefault((key.at, key.port), []).append((key.host, place.site))
        self._tables = {at: HostTable(found) for at, found in hosts.items()}

    def listens(self, key: _Key) -> bool:
        return (key.at, key.port) in self._tables

    def find(self, key: _Key) -> BoundSite | None:
        table = self._tables.get((key.at, key.port))
        return None if table is None else table.find(host_for(key.host))


# ---- warnings


def _only_warnings(problems: Sequence[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity is Severity.WARNING]


def _warning(problem: Problem) -> tuple[str, str, str]:
    span = problem.span
    return problem.code, problem.message, "" if span is None else span.source.text[span.start : span.end]
