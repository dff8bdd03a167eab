"""How one figure of a contender is taken: requests per CPU-second, memory, or time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from load import Load, bytes_per_idle_connection, requests_per_cpu_second, requests_per_second
from machine import NotMeasured, running, wall_seconds
from servers import Place, Start, path_of


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done: fewer rounds and smaller sizes for a quick look."""

    rounds: int
    #: Of load per round and contender.
    seconds: float
    sites: int
    routes: int
    idle_connections: int


#: Gives one figure of a contender; called once per round.
Probe = Callable[[], float]
#: Sets a contender up for all rounds of a case.
Open = Callable[[Place, Effort], AbstractContextManager[Probe]]


def throughput(start: Start, load: Load) -> Open:
    """Requests per CPU-second of a server that runs through all rounds."""

    @contextlib.contextmanager
    def open_(place: Place, effort: Effort) -> Iterator[Probe]:
        wrk = path_of(place, "wrk")
        with running(lambda: start(place)) as (server, port):

            def probe(seconds: float = effort.seconds) -> float:
                return requests_per_cpu_second(server, wrk, port, load, seconds=seconds, directory=place.directory)

            _warm(probe)
            yield probe

    return open_


def speed(start: Start, load: Load) -> Open:
    """Requests per second by the clock on the wall, of a server that has all cores while it is measured."""

    @contextlib.contextmanager
    def open_(place: Place, effort: Effort) -> Iterator[Probe]:
        wrk = path_of(place, "wrk")
        with running(lambda: start(place)) as (_, port):

            def probe(seconds: float = effort.seconds) -> float:
                return requests_per_second(wrk, port, load, seconds=seconds, directory=place.directory)

            _warm(probe)
            yield probe

    return open_


def _warm(probe: Callable[[float], float]) -> None:
    """A first second of load; some servers listen before they have read their routes, so it may take more than one."""
    for _ in range(5):
        with contextlib.suppress(NotMeasured):
            probe(1)
            return
    probe(1)


def idle_memory(start: Start, path: str) -> Open:
    """KiB per idle connection; every round has a server of its own, since freed memory would be used again."""

    @contextlib.contextmanager
    def open_(place: Place, effort: Effort) -> Iterator[Probe]:
        def probe() -> float:
            with running(lambda: start(place)) as (server, port):
                count = effort.idle_connections
                return bytes_per_idle_connection(server, port, count=count, path=path, host="bench.example") / 1024

        yield probe

    return open_


def duration(command: Callable[[Place, Effort], list[str]]) -> Open:
    """Seconds that a command takes, on the server's core: the whole process."""

    @contextlib.contextmanager
    def open_(place: Place, effort: Effort) -> Iterator[Probe]:
        words = command(place, effort)
        started = time.perf_counter()
        wall_seconds(words, directory=place.directory)
        repeats = 5 if time.perf_counter() - started < 0.5 else 1
        yield lambda: sorted(wall_seconds(words, directory=place.directory) for _ in range(repeats))[repeats // 2]

    return open_
