"""What a process tells of itself: processor time, memory, descriptors, garbage collections, and how late its loop is.

One coarse timer looks at all of it; requests are not involved. The figures are of Linux' `/proc` where there is one.
"""

from __future__ import annotations

import contextlib
import gc
import os
import time
from typing import TYPE_CHECKING

from edgescript.metric import Across, Kind, Meter, Metric

if TYPE_CHECKING:
    import anyio
    import anyio.abc

LOOP_DELAY = Metric(
    "edge_event_loop_delay_seconds",
    Kind.HISTOGRAM,
    "How late a worker's event loop ran what was due: something blocked it for so long. Looked at twice a second.",
    (),
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
    across=Across.WORKER,
)
CPU = Metric(
    "edge_process_cpu_seconds",
    Kind.COUNTER,
    "Processor time of each process, in the program and in the system.",
    across=Across.WORKER,
)
MEMORY = Metric(
    "edge_process_resident_memory_bytes", Kind.GAUGE, "Memory of each process, as it is.", across=Across.WORKER
)
DESCRIPTORS = Metric(
    "edge_process_open_fds", Kind.GAUGE, "Open file descriptors of each process.", across=Across.WORKER
)
STARTED = Metric(
    "edge_process_start_time_seconds",
    Kind.GAUGE,
    "When each process began, in seconds since 1970.",
    across=Across.WORKER,
)
COLLECTIONS = Metric(
    "edge_gc_collections",
    Kind.COUNTER,
    "Runs of Python's garbage collector.",
    ("generation",),
    across=Across.WORKER,
)

#: Seconds between two looks at the loop, and of those, at the process.
_TICK = 0.5
_EVERY = 10


class ProcessWatch:
    """
    Looks at the process that it runs in, from `start` until `close`.

    :param counted: seconds of processor time that were counted before, by a program that this process was then
    """

    def __init__(self, meter: Meter, *, counted: float = 0.0) -> None:
        self._counted = counted
        self._meter = meter = meter.part()
        self._delay = meter.histogram(LOOP_DELAY)
        self._cpu = meter.counter(CPU)
        self._memory = meter.gauge(MEMORY)
        self._descriptors = meter.gauge(DESCRIPTORS)
        self._collections = [meter.counter(COLLECTIONS, str(generation)) for generation in range(3)]
        self._started = meter.gauge(STARTED)
        self._scope: anyio.CancelScope | None = None

    async def start(self, tasks: anyio.abc.TaskGroup) -> None:
        import anyio

        self._started.set(time.time() - time.monotonic() + _since_boot())
        self._scope = anyio.CancelScope()
        tasks.start_soon(self._watch, self._scope)

    async def close(self) -> None:
        if self._scope is not None:
            self._scope.cancel()
        await self._meter.close()

    async def _watch(self, scope: anyio.CancelScope) -> None:
        import anyio

        with scope:
            while True:
                self.look()
                for _ in range(_EVERY):
                    due = anyio.current_time() + _TICK
                    await anyio.sleep_until(due)
                    self._delay.observe(max(anyio.current_time() - due, 0.0))

    def look(self) -> None:
        """Note how the process is now."""
        self._cpu.add(time.process_time() - self._counted - self._cpu.value)
        for cell, generation in zip(self._collections, gc.get_stats(), strict=False):
            cell.add(generation["collections"] - cell.value)
        with contextlib.suppress(OSError):  # there is no /proc
            with open("/proc/self/statm", "rb") as file:
                self._memory.set(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
            self._descriptors.set(len(os.listdir("/proc/self/fd")) - 1)


def _since_boot() -> float:
    """When this process began, by the monotonic clock."""
    with contextlib.suppress(OSError, ValueError), open("/proc/self/stat", "rb") as file:
        # proc(5): the 22nd field, in clock ticks since the system began; the second may have blanks in it.
        return int(file.read().rpartition(b")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return time.monotonic()
