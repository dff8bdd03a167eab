"""Writes lines to a file or a standard stream from a thread of its own, so that a slow disk stops no request.

The event loop only appends to a queue. The thread sleeps until there is a line, lets more come for a moment, and writes
them all at once. Where the destination cannot keep up, lines are dropped and counted, and memory stays bounded.

There is one writer for each destination in a process, however many directives name it: `acquire` and `close` count its
users.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections import deque
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

#: Seconds that lines wait for company.
LINGER = 0.25
#: Bytes that are written without waiting any longer.
BATCH = 64 * 1024
#: Bytes that may wait; lines that come on top are dropped.
MOST_WAITING = 4 * 1024 * 1024
#: Seconds that `close` waits for a destination that takes nothing.
PATIENCE = 5.0

STANDARD = {"stdout": 1, "stderr": 2}

#: Set while tests of an Edgefile run: what their requests would log is written nowhere.
DISCARDED: ContextVar[bool] = ContextVar("DISCARDED", default=False)

_writers: dict[str, LineWriter] = {}
_users: dict[str, int] = {}


def acquire(destination: str) -> LineWriter:
    """The process's writer for "stdout", "stderr" or the path of a file. Every `acquire` needs one `close`."""
    if DISCARDED.get():
        return _Nowhere(destination)
    _users[destination] = _users.get(destination, 0) + 1
    if destination not in _writers:
        _writers[destination] = LineWriter(destination)
    return _writers[destination]


def reopen() -> None:
    """Have every file of a log opened anew, after somebody else has moved it away (SIGUSR1)."""
    for writer in tuple(_writers.values()):
        writer.reopen()


def _log() -> logging.Logger:
    """Where it is said what became of lines; imported when there is something to say."""
    import logging

    return logging.getLogger("edgescript.observe")


class LineWriter:
    """One destination, with the lines that wait for it. `write` is called from one thread only."""

    def __init__(self, destination: str) -> None:
        self._destination = _Standard(STANDARD[destination]) if destination in STANDARD else _File(destination)
        self._name = destination
        self._lines: deque[str] = deque()
        # Each of the two counts is written by one thread alone, so that neither needs a lock.
        self._taken_in = 0
        self._taken_out = 0
        self._dropped = 0
        self._awake = False
        self._some = threading.Event()
        self._enough = threading.Event()
        self._closing = self._reopening = False
        self._thread: threading.Thread | None = None

    def __repr__(self) -> str:
        return f"<LineWriter {self._name}: {len(self._lines)} waiting, {self._dropped} dropped>"

    @property
    def dropped(self) -> int:
        """How many lines found no room, or no disk."""
        return self._dropped + self._destination.lost

    def write(self, line: str) -> None:
        """Have an ASCII line, which ends with a newline, written soon."""
        waiting = self._taken_in - self._taken_out
        if waiting > MOST_WAITING:
            self._dropped += 1
            return
        self._lines.append(line)
        self._taken_in += len(line)
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
        """Open the file anew, once what waits is written; a stream stays what it is."""
        self._reopening = True
        if not self._awake:
            self._wake()
        self._enough.set()

    async def close(self) -> None:
        """Write what waits, and free the destination once nobody uses it any more."""
        if _writers.get(self._name) is not self:
            return  # closed by its last user before
        _users[self._name] -= 1
        if _users[self._name] == 0:
            del _users[self._name], _writers[self._name]
            self._closing = True
            self._some.set()
            self._enough.set()
            if self._thread is not None:
                import anyio.to_thread  # only where there is a loop: reading an Edgefile makes writers too

                await anyio.to_thread.run_sync(self._thread.join, PATIENCE)
        elif self._thread is not None:
            self._enough.set()

    # ---- in the thread

    def _run(self) -> None:
        told = 0
        while not (self._closing and not self._lines):
            self._some.wait()
            self._enough.wait(LINGER)
            self._some.clear()
            self._enough.clear()
            # From here on `write` wakes this thread again: whatever it appends is taken below, or in the next round.
            self._awake = False
            if self._reopening:
                self._reopening = False
                self._destination.reopen()
            self._drain()
            if self._dropped > told:
                _log().warning(
                    "%d lines of the log to %s were dropped: it is too slow", self._dropped - told, self._name
                )
                told = self._dropped
        self._destination.close()

    def _drain(self) -> None:
        while self._lines:
            batch: list[str] = []
            size = 0
            while self._lines and size < BATCH:
                line = self._lines.popleft()
                batch.append(line)
                size += len(line)
            self._destination.write("".join(batch).encode("ascii", "backslashreplace"), len(batch))
            self._taken_out += size


class _Nowhere(LineWriter):
    """Takes lines, and opens nothing."""

    def __init__(self, destination: str) -> None:
        self._name = destination

    def write(self, line: str) -> None:
        pass

    async def close(self) -> None:
        pass


class _Standard:
    """Standard output or error."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.lost = 0
        self._failing = False

    def write(self, data: bytes, lines: int) -> None:
        try:
            _write_all(self._descriptor, data)
            self._failing = False
        except OSError as error:
            self.lost += lines
            if not self._failing:
                self._failing = True
                _log().error("the log cannot be written to a standard stream: %s", error.strerror)

    def reopen(self) -> None:
        """There is nothing to open."""

    def close(self) -> None:
        """The stream is not ours to close."""


class _File:
    """A file that is appended to, and opened anew when it was moved away (logrotate) or cannot be written."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None
        self.lost = 0
        self._failing = False
        #: The last write stopped inside a line.
        self._torn = False

    def write(self, data: bytes, lines: int) -> None:
        try:
            _write_all(self._opened(), b"\n" + data if self._torn else data)
            self._failing = self._torn = False
        except OSError as error:
            self.lost += lines
            self._torn = self._descriptor is not None
            self.close()
            if not self._failing:
                self._failing = True
                _log().error("the log %s cannot be written: %s", self._path, error.strerror)

    def _opened(self) -> int:
        if self._descriptor is not None and self._is_elsewhere(self._descriptor):
            self.close()
        if self._descriptor is None:
            self._descriptor = _open(self._path)
        return self._descriptor

    def _is_elsewhere(self, descriptor: int) -> bool:
        try:
            there = os.stat(self._path)
        except FileNotFoundError:
            return True
        here = os.fstat(descriptor)
        return (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino)

    def reopen(self) -> None:
        self.close()
        with contextlib.suppress(OSError):  # the next write tries again, and says so
            self._opened()

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _open(path: str) -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        return os.open(path, flags, 0o600)


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:
            # Another process may have made the shared stream non-blocking.
            select.select([], [descriptor], [])
