"""Brings lines to a destination from a thread of its own, so that a slow disk or a dead receiver stops no request.

The event loop only appends to a queue. The thread sleeps until there is a line, lets more come for a moment, and delivers
them all at once. A destination that fails is tried again, less and less often; meanwhile lines wait. Where more of them wait
than there is room for, the newest are dropped and counted, so that memory stays bounded.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakSet

from edgescript.metric import Counter, Kind, Meter, Metric

if TYPE_CHECKING:
    import logging

#: Seconds that lines wait for company.
LINGER = 0.25
#: Bytes that are delivered without waiting any longer.
BATCH = 64 * 1024
#: Bytes that may wait; lines that come on top are dropped.
MOST_WAITING = 4 * 1024 * 1024
#: Seconds until a destination that failed is tried again: at first, and at most.
FIRST_DELAY, MOST_DELAY = 0.25, 5.0
#: Seconds that `close` waits for a destination that takes nothing; and behind one that has used them up, because a worker
#: must end soon, however many outputs hang.
PATIENCE = 5.0
LEAST_PATIENCE = 0.25
#: Seconds between two warnings that a destination is too slow, and in which one that fails now and then is told of once:
#: a receiver that accepts connections and reads nothing seems to heal each time.
BETWEEN_WARNINGS = 60.0

#: Set while tests of an Edgefile run: what their requests would log is written nowhere.
DISCARDED: ContextVar[bool] = ContextVar("DISCARDED", default=False)

LINES = Metric(
    "edge_log_lines",
    Kind.COUNTER,
    "Lines of logs by output: written, dropped because too many waited, or lost because the output failed for good.",
    labels=("output", "outcome"),
)


def cells(meter: Meter, name: str) -> tuple[Counter, Counter, Counter]:
    """What counts the lines of one output: dropped, written, lost."""
    return (
        meter.counter(LINES, name, "dropped"),
        meter.counter(LINES, name, "written"),
        meter.counter(LINES, name, "lost"),
    )


_alive: WeakSet[LineWriter] = WeakSet()


def reopen() -> None:
    """Have every file of a log opened anew, after somebody else has moved it away."""
    for writer in tuple(_alive):
        writer.reopen()


class Rejected(Exception):
    """What a destination says of items that it will never take."""


class Destination(Protocol):
    """Where lines go. It is used by the writer's thread alone, and opens what it needs at the first line."""

    def deliver(self, batch: deque[Any]) -> None:
        """
        Write the items of the batch, and take off it, at the left, what is written.

        :raises OSError: if something could not be; what is left will be tried again
        :raises Rejected: if what is left must not be tried again
        """

    def reopen(self) -> None:
        """Forget what is open, and open it anew."""

    def close(self) -> None: ...


def _log() -> logging.Logger:
    """Where it is said what became of lines; imported when there is something to say."""
    import logging

    return logging.getLogger("edgescript.observe")


class LineWriter:
    """
    One destination, with the items that wait for it: texts that end with a newline, or whatever it takes that has a length.

    `write` is called from one thread only.
    """

    #: When one of them was last waited for in vain.
    _gave_up = -PATIENCE

    def __init__(self, name: str, destination: Destination, meter: Meter | None = None) -> None:
        self._name = name
        self._destination = destination
        meter = meter or Meter()
        # Each cell, and each of the two counts, is written by one thread alone, so that none needs a lock.
        self._dropped, self._written, self._lost = cells(meter, name)
        self._before = self._dropped.value + self._lost.value
        self._lines: deque[Any] = deque()
        self._taken_in = 0
        self._taken_out = 0
        self._awake = False
        self._some = threading.Event()
        self._enough = threading.Event()
        self._hurry = threading.Event()
        self._closing = self._reopening = False
        self._thread: threading.Thread | None = None
        # Of the thread:
        self._batch: deque[Any] = deque()
        self._delay = 0.0
        self._told = 0
        self._warned = self._healed_at = -BETWEEN_WARNINGS
        self._is_failure_told = False
        _alive.add(self)

    def __repr__(self) -> str:
        waiting = len(self._lines) + len(self._batch)
        return f"<LineWriter {self._name}: {waiting} waiting, {self.dropped} dropped>"

    @property
    def dropped(self) -> int:
        """How many lines found no room, or no disk."""
        return int(self._dropped.value + self._lost.value - self._before)

    def write(self, item: Any) -> None:
        """Have an item delivered soon."""
        waiting = self._taken_in - self._taken_out
        if waiting > MOST_WAITING:
            self._dropped.add()
            return
        self._lines.append(item)
        self._taken_in += len(item)
        if not self._awake:
            self._wake()
        if waiting > BATCH and not self._enough.is_set():
            self._enough.set()

    def _wake(self) -> None:
        self._awake = True
        if self._thread is None or not self._thread.is_alive():
            # Anew after `close`, because a tunnel may end later than its graph. A daemon, because a destination that
            # blocks for ever must not keep the process.
            self._thread = threading.Thread(target=self._run, name=f"log {self._name}", daemon=True)
            self._thread.start()
        self._some.set()

    def reopen(self) -> None:
        """Open a file anew, once what waits is written."""
        if self._thread is None or not self._thread.is_alive():
            return  # nothing is open
        self._reopening = True
        if not self._awake:
            self._wake()
        self._enough.set()
        self._hurry.set()

    async def close(self) -> None:
        """Deliver what waits, as far as that is possible soon, and free the destination."""
        if self._thread is None:
            self._closing = True
            return
        import anyio.to_thread  # only where there is a loop: reading an Edgefile makes writers too

        await anyio.to_thread.run_sync(self.finish)

    def finish(self) -> None:
        """The same where there is no event loop; it may take as long as our patience."""
        self._closing = True
        for waited_for in (self._some, self._enough, self._hurry):
            waited_for.set()
        if self._thread is not None:
            self._thread.join(LEAST_PATIENCE if time.monotonic() - LineWriter._gave_up < LEAST_PATIENCE else PATIENCE)
            if self._thread.is_alive():
                LineWriter._gave_up = time.monotonic()
                waiting = len(self._batch) + len(self._lines)
                _log().error("%d lines of the log to %s were not taken at the end", waiting, self._name)

    # ---- in the thread

    def _run(self) -> None:
        while not (self._closing and not self._lines and not self._batch):
            self._wait()
            if self._reopening:
                self._reopening = False
                self._drain()
                self._destination.reopen()
            self._drain()
            self._warn()
        self._destination.close()

    def _wait(self) -> None:
        if self._delay:
            self._hurry.wait(self._delay)
        else:
            self._some.wait()
            self._enough.wait(LINGER)
        self._some.clear()
        self._enough.clear()
        self._hurry.clear()
        # From here on `write` wakes this thread again: whatever it appends is taken below, or in the next round.
        self._awake = False

    def _drain(self) -> None:
        batch = self._batch
        while self._lines or batch:
            size = sum(map(len, batch))
            while self._lines and size < BATCH:
                item = self._lines.popleft()
                batch.append(item)
                size += len(item)
            count = len(batch)
            try:
                self._destination.deliver(batch)
            except Rejected as error:
                self._rejected(error, size)
                continue
            except Exception as error:  # not only OSError: the name of a host that cannot be one gives UnicodeError
                self._delivered(count - len(batch), size - sum(map(len, batch)))
                self._failed(error)
                return
            self._delivered(count, size)
            if self._delay:
                self._healed()

    def _delivered(self, count: int, size: int) -> None:
        self._written.add(count)
        self._taken_out += size

    def _failed(self, error: Exception) -> None:
        if self._delay and self._closing:
            self._give_up()  # it has failed before, and this was the last attempt
        elif not self._is_failure_told and time.monotonic() - self._healed_at >= BETWEEN_WARNINGS:
            self._is_failure_told = True
            _log().error(
                "the log to %s cannot be written: %s; its lines wait, as far as there is room",
                self._name,
                _reason(error),
            )
        self._delay = min(2 * self._delay, MOST_DELAY) or FIRST_DELAY

    def _rejected(self, error: Rejected, size: int) -> None:
        if not self._lost.value:
            _log().error("lines of the log to %s are lost: %s", self._name, error)
        self._lost.add(len(self._batch))
        self._batch.clear()
        self._taken_out += size

    def _give_up(self) -> None:
        lost = len(self._batch) + len(self._lines)
        self._lost.add(lost)
        self._batch.clear()
        self._lines.clear()
        _log().error("%d lines of the log to %s are lost", lost, self._name)

    def _healed(self) -> None:
        self._delay = 0.0
        if not self._is_failure_told:
            return
        self._is_failure_told = False
        self._healed_at = time.monotonic()
        lost, self._told = self.dropped - self._told, self.dropped
        _log().warning("the log to %s is written again; %d of its lines were dropped", self._name, lost)

    def _warn(self) -> None:
        """Of a destination that works, and does not keep up."""
        now = time.monotonic()
        if self._delay or self.dropped == self._told or (now - self._warned < BETWEEN_WARNINGS and not self._closing):
            return
        dropped, self._told, self._warned = self.dropped - self._told, self.dropped, now
        _log().warning("%d lines of the log to %s were dropped: it is too slow", dropped, self._name)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
