"""An Edgefile compiled once for all its tests, of which each has sites with a state of its own.

Nothing that one test leaves behind (connections, turns of a balancer) may be seen by another. To compile the whole file
for each would be sound, and too slow for thousands of sites; so a test has those sites built anew that its requests come to.
The table of hosts is the whole file's, so that a request finds the site that it finds in a running server.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from edgescript.catalog import Catalogue
from edgescript.declare.entries import Closeable
from edgescript.graph.bound import BoundFile
from edgescript.graph.compile import build, build_site, has_errors
from edgescript.graph.load import analyse
from edgescript.graph.match import HostTable
from edgescript.graph.model import Graph, Listener, Site
from edgescript.graph.shared import close_all
from edgescript.language.files import read_file
from edgescript.language.tree import Tree
from edgescript.observe.writer import DISCARDED
from edgescript.storage.base import INSTEAD
from edgescript.storage.memory import Memory
from edgescript.testing.walk import Recorder
from edgescript.text.problem import Problem, in_order
from edgescript.text.source import Source


@dataclass(frozen=True, slots=True)
class Compiled:
    """An Edgefile without errors, ready to be tested."""

    bound: BoundFile
    graph: Graph
    directory: str
    #: Every file that was read.
    trees: list[Tree]
    #: The positions of sites, by identity.
    numbers: dict[int, int] = field(repr=False)


def compile_for_tests(
    source: Source,
    *,
    catalogue: Catalogue,
    environment: Mapping[str, str],
    directory: str,
    read: Callable[[str], bytes] = read_file,
) -> tuple[Compiled | None, list[Problem], list[Tree]]:
    """The compiled file, or None where it has errors; everything that is wrong with it; and every file that was read."""
    found = analyse(source, catalogue=catalogue, environment=environment, read=read)
    trees = found.file.trees
    if found.bound is None or has_errors(found.problems):
        return None, found.problems, trees
    discarding = DISCARDED.set(True)
    instead = INSTEAD.set(Memory(time.monotonic))
    try:
        graph, more = build(found.bound, directory=directory, clock=time.monotonic)
    finally:
        INSTEAD.reset(instead)
        DISCARDED.reset(discarding)
    problems = in_order([*found.problems, *more])
    if graph is None:
        return None, problems, trees
    numbers = {id(site): number for number, site in enumerate(graph.sites)}
    return Compiled(found.bound, graph, directory, trees, numbers), problems, trees


class FreshSites:
    """The sites of one test."""

    def __init__(self, compiled: Compiled, recorder: Recorder, clock: Callable[[], float]) -> None:
        self._compiled = compiled
        self._recorder = recorder
        self._clock = clock
        self._built: dict[int, Site] = {}
        self._resources: list[Closeable] = []

    def listener(self, listener: Listener) -> Listener:
        """A listener of the file, with the sites of this test."""
        return Listener(listener.host, listener.port, _FreshHosts(listener.hosts, self))

    def find(self, table: HostTable[Site], host: str) -> Site | None:
        """
        The site that a table has for a host, built anew when it is first asked for.

        :raises OSError: if it cannot be set up any more
        """
        original = table.find(host)
        if original is None:
            self._recorder.enter(None, host, None)
            return None
        number = self._compiled.numbers[id(original)]
        site = self._built.get(number)
        if site is None:
            bound = self._compiled.bound.sites[number]
            made, resources, problems = build_site(
                bound, self._compiled.bound.settings, directory=self._compiled.directory, clock=self._clock
            )
            self._resources += resources
            if problems:
                raise OSError(problems[0].message)
            site = self._built[number] = self._recorder.watched(number, made)
        self._recorder.enter(site, host, table.name_of(host))
        return site

    async def close(self) -> None:
        """
        Close what the sites opened.

        :raises ExceptionGroup: if some of it cannot be closed; the rest is closed nevertheless
        """
        await close_all(self._resources)


class _FreshHosts(HostTable[Site]):
    """Finds what another table finds, built anew."""

    __slots__ = ("_fresh", "_table")

    def __init__(self, table: HostTable[Site], fresh: FreshSites) -> None:
        self._table = table
        self._fresh = fresh

    def find(self, host: str) -> Site | None:
        return self._fresh.find(self._table, host)

    def name_of(self, host: str) -> str | None:
        return self._table.name_of(host)

    def items(self) -> Iterator[tuple[str, Site]]:
        return self._table.items()
