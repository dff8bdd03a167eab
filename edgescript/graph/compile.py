"""From a file's lines to the frozen graph: a chain of passes, each a function of what the one before gave.

    File ── bound.bind_file ──▶ BoundFile ── check.check ──▶ the same, without problems ── built, here ──▶ Graph

Nothing is built while there are errors, so `build` of an entry sees sound values only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar

from edgescript.catalog import Catalogue
from edgescript.declare.bind import Bound
from edgescript.declare.entries import ERRORS, Action, Built, Closeable, Steps, Test, is_ours
from edgescript.declare.plan import plan_of
from edgescript.graph.bound import BoundFile, BoundSite, Definition, Node, Settings, bind_file
from edgescript.graph.check import check, listened, site_hosts
from edgescript.graph.layout import NOT_FOUND, PLAIN_ERROR, WHOLE_SITE, program, written
from edgescript.graph.match import HostTable
from edgescript.graph.model import ErrorRoute, Graph, Listener, Matcher, Site
from edgescript.graph.patterns import path_test
from edgescript.graph.shared import Shared
from edgescript.graph.stranger import checked, held_to_responses
from edgescript.http.exchange import Exchange
from edgescript.language.expand import File
from edgescript.tally import NO_SITE, ListenerTally, Tally
from edgescript.text.problem import Problem, Severity
from edgescript.text.source import Span

#: Settings that set something up where they are not written, too.
_ALWAYS = ("metrics",)

S = TypeVar("S", bound=Closeable)
T = TypeVar("T")


def compile_file(
    file: File,
    catalogue: Catalogue,
    *,
    directory: str = ".",
    clock: Callable[[], float] = time.monotonic,
    shared: Shared | None = None,
) -> tuple[Graph | None, list[Problem]]:
    """
    The graph that an expanded file means, and everything that is wrong with it; None where there is an error.

    :param directory: where relative paths of the file start
    :param clock: seconds of the monotonic clock
    :param shared: what it has in common with other graphs of this process; without it, nothing
    """
    bound, problems = understand(file, catalogue)
    if has_errors(problems):
        return None, problems
    graph, more = build(bound, directory=directory, clock=clock, shared=shared)
    return graph, problems + more


def understand(file: File, catalogue: Catalogue) -> tuple[BoundFile, list[Problem]]:
    """What the lines of an expanded file mean, as far as they mean something, and everything that is wrong with them."""
    bound, problems = bind_file(file, catalogue)
    found = check(bound)
    if has_errors(problems):
        # A directive that was not understood is missing from what was checked: only what is certain is said.
        found = [problem for problem in found if problem.severity is Severity.ERROR]
    return bound, problems + found


def build(
    bound: BoundFile, *, directory: str, clock: Callable[[], float], shared: Shared | None = None
) -> tuple[Graph | None, list[Problem]]:
    """
    The graph of a file without errors, or None and why it cannot be set up on this machine.

    :param shared: what it has in common with other graphs of this process; without it, nothing
    """
    shared = Shared() if shared is None else shared  # one that holds nothing yet is false
    building = _Building(directory, clock, bound.settings, shared)
    try:
        graph = building.graph(bound)
    except BaseException:
        shared.leave(building.resources)
        raise
    if has_errors(building.problems):
        shared.leave(building.resources)
        return None, building.problems
    return graph, building.problems


def build_site(
    site: BoundSite, settings: Mapping[type, Any], *, directory: str, clock: Callable[[], float]
) -> tuple[Site, list[Closeable], list[Problem]]:
    """One site by itself, with state of its own, what it opened, and why it cannot be set up: for a test of it."""
    building = _Building(directory, clock, settings, Shared())
    return building.site(site), building.resources, building.problems


def has_errors(problems: Sequence[Problem]) -> bool:
    return any(problem.severity is Severity.ERROR for problem in problems)


class _Building:
    """One run of the last pass. It is what entries are given as `Build`, and what programs are laid out of."""

    def __init__(
        self, directory: str, clock: Callable[[], float], settings: Mapping[type, Any], shared: Shared
    ) -> None:
        self.clock = clock
        #: What this graph counts; its series give way to others when it is gone.
        self.meter = shared.meter.part()
        self._settings = settings
        self._shared = shared
        self.problems: list[Problem] = []
        self._directory = directory
        self.resources: list[Closeable] = []
        self._names: tuple[str, ...] = ()
        self._source = ""
        self._bound: Bound | None = None
        self._tallies: dict[str, Tally] = {}
        #: A setting may say that requests are not counted.
        self._counting = all(getattr(setting, "counts_requests", True) for setting in settings.values())
        self._matchers: dict[Definition, Matcher] = {}
        self._path_tests: dict[tuple[str, ...], Test] = {}

    def graph(self, file: BoundFile) -> Graph:
        self._set_up(file.settings)
        sites = [self.site(site) for site in file.sites]
        listeners = self._listeners(file.sites, sites)
        return Graph(listeners, tuple(sites), file.settings, file.tests, tuple(self.resources), self.meter)

    def site(self, site: BoundSite) -> Site:
        self._names = tuple(address.text for address in site.addresses)
        self._source = site.span.source.name
        self._tallies = {}
        running = site.running
        errors = [self._error_route(node) for node in site.nodes if node.role is ERRORS]
        errors.sort(key=lambda route: (not route.statuses, not route.classes))
        return Site(self._names, site.span, program(running, self, NOT_FOUND), tuple(errors))

    def _error_route(self, node: Node) -> ErrorRoute:
        patterns = node.bound.instance.statuses
        return ErrorRoute(
            frozenset(pattern.number for pattern in patterns if not pattern.is_class),
            frozenset(pattern.number for pattern in patterns if pattern.is_class),
            program(node.block, self, PLAIN_ERROR),
            node.span,
        )

    def _set_up(self, settings: Settings) -> None:
        """What settings need that belongs to no site."""
        for kind in dict.fromkeys((*settings, *settings.named(*_ALWAYS))):
            if hasattr(kind, "build"):
                settings[kind].build(self)

    def _listeners(self, bound: Sequence[BoundSite], sites: Sequence[Site]) -> tuple[Listener, ...]:
        """One for each address that is listened on, with the sites reached there."""
        found: dict[tuple[str, int | None], list[tuple[str, Site]]] = {}
        for made, site in zip(bound, sites, strict=True):
            for host in site_hosts(made):
                for address in made.addresses:
                    key = listened(host, address.address.port)
                    found.setdefault(key, []).append((address.address.host, site))
        return tuple(Listener(*key, HostTable(hosts), self._listener_tally(*key)) for key, hosts in found.items())

    # ---- what is counted

    def tally(self, route: str) -> Tally | None:
        if not self._counting:
            return None
        made = self._tallies.get(route)
        if made is None:
            made = self._tallies[route] = Tally(self.meter, self._names[0], route)
        return made

    def _listener_tally(self, host: str, port: int | None) -> ListenerTally:
        name = f"unix/{host}" if port is None else f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        nowhere = Tally(self.meter, NO_SITE, WHOLE_SITE) if self._counting else None
        return ListenerTally(self.meter, name, nowhere)

    # ---- parts of programs

    def action(self, node: Node) -> Action | Built:
        made: Action | Built = self._built(node.bound, _unbuilt)
        entry = node.bound.entry
        return made if is_ours(entry) else held_to_responses(made, entry.__module__)

    def matcher(self, definition: Definition) -> Matcher:
        """The compiled matcher; a named one is compiled once, however often it is used."""
        found = self._matchers.get(definition)
        if found is None:
            found = self._matchers[definition] = (
                self._path(definition) if not definition.parts else self._named(definition)
            )
        return found

    def _path(self, definition: Definition) -> Matcher:
        assert definition.paths is not None, "a matcher without parts is a path in place"
        return Matcher(
            self._path_test(definition.paths), definition.text, _path_reason, definition.span, paths=definition.paths
        )

    def _path_test(self, paths: tuple[str, ...]) -> Test:
        test = self._path_tests.get(paths)
        if test is None:
            test = self._path_tests[paths] = path_test(paths)
        return test

    def _named(self, definition: Definition) -> Matcher:
        parts = tuple([self._part(bound) for bound in definition.parts])
        test = all_of([part.test for part in parts])
        return Matcher(test, definition.text, _reasons(parts), definition.span, parts, definition.paths)

    def _part(self, bound: Bound) -> Matcher:
        inner = tuple([self._part(held) for held in _held(bound)])
        reason = getattr(bound.instance, "reason", _no_reason)
        test: Test = self._built(bound, _never)
        return Matcher(test, _text(bound), reason, bound.span(), inner)

    def _built(self, bound: Bound, instead: Any) -> Any:
        """What an entry builds; where the machine has not what it needs, that is a problem of the file."""
        outer, self._bound = self._bound, bound
        try:
            made = bound.instance.build(self)
            return made if is_ours(bound.entry) else checked(made)
        except Exception as error:
            if isinstance(error, OSError | ValueError):
                why = str(error)
            elif is_ours(bound.entry):
                raise
            else:  # a plug-in's mistake is no reason for the server to fail
                why = f"the plug-in {bound.entry.__module__} failed with {error!r}"
            self.problems.append(Problem("E205", f"{bound.declaration.name} cannot be set up: {why}", bound.span()))
            return instead
        finally:
            self._bound = outer

    # ---- what `declare.entries.Build` promises

    def keep(self, resource: Closeable) -> None:
        self.resources.append(resource)

    def share(self, key: Hashable, make: Callable[[], S]) -> S:
        kept: list[Closeable] = []

        def make_with_kept() -> S:
            outer, self.resources = self.resources, kept
            try:
                return make()
            finally:
                self.resources = outer

        thing, use = self._shared.use(key, make_with_kept, kept)
        self.resources.append(use)
        return thing

    def setting(self, kind: type[T]) -> T:
        value: T = self._settings[kind]
        return value

    def directory(self) -> str:
        return self._directory

    def source(self) -> str:
        return self._source

    def site_names(self) -> tuple[str, ...]:
        return self._names

    def span(self) -> Span:
        assert self._bound is not None, "only what is being built asks"
        return self._bound.span()

    def tests(self, held: Steps) -> list[Test]:
        return [self._built(bound, _never) for bound in held.lines]


# ---- matchers


def all_of(tests: Sequence[Test]) -> Test:
    """A test that holds where all do."""
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        one, other = tests
        return lambda exchange: one(exchange) and other(exchange)
    return lambda exchange: all(test(exchange) for test in tests)


def _reasons(parts: Sequence[Matcher]) -> Callable[[Exchange], str]:
    return lambda exchange: ", ".join(part.reason(exchange) for part in parts)


def _path_reason(exchange: Exchange) -> str:
    return f"the path is {exchange.path}"


def _no_reason(exchange: Exchange) -> str:
    return ""


def _held(bound: Bound) -> list[Bound]:
    """The matchers that a matcher holds."""
    slot = plan_of(bound.entry).steps
    return [] if slot is None else getattr(bound.instance, slot.attribute).lines


def _text(bound: Bound) -> str:
    """A matcher as it was written, without the `@name` or `not` in front of it on the same line."""
    name = bound.declaration.name
    first = next((number for number, word in enumerate(bound.line.words) if word.value == name), 0)
    return written(bound.line, first)


def _never(exchange: Exchange) -> bool:
    return False


def _unbuilt(exchange: Exchange) -> None:
    """Stands in for a step whose problem is reported; the graph is not used then."""
