"""A file of lines: appended to by any number of processes, turned over by one of them at a time.

Rule 1: a line is written only while this process holds a shared lock of the file, and the path still names that very file.
Rule 2: the file is renamed only under an exclusive lock. So nothing is written to a file that was renamed, and it can be
compressed at once; no line is lost between two workers. A file that somebody else has moved away (logrotate) is noticed by
the same look.

Whether a file is due is told by the time of its last line, which all processes see: the first line of a new period turns it
over.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from edgescript.observe import archive
from edgescript.observe.stream import Torn, write_lines

try:
    import fcntl
except ImportError:  # Windows: one process writes
    fcntl = None  # type: ignore[assignment]

#: Seconds that `close` waits for old files to be compressed.
TIDYING = 3.0


@dataclass(frozen=True, slots=True)
class Rotation:
    """When a file is turned over, and what becomes of the old ones."""

    #: Bytes that no file exceeds by more than a batch; None: no matter.
    size: int | None = None
    #: Seconds; periods begin at whole multiples since 1970 in UTC, so that `1d` ends at midnight.
    every: float | None = None
    #: Minutes of the day in local time, rising.
    at: tuple[int, ...] = ()
    #: How many old files are kept, and for how many seconds; None: no matter.
    keep: int | None = 10
    keep_for: float | None = None
    compress: Literal["gzip", "zstd", "off"] = "gzip"

    def is_new_period(self, last: float, now: float) -> bool:
        """Whether a period has ended between two moments, in seconds since 1970."""
        if now <= last:
            return False
        if self.every is not None and last // self.every != now // self.every:
            return True
        return bool(self.at) and self._day_and_part(last) != self._day_and_part(now)

    def _day_and_part(self, when: float) -> tuple[int, int, int]:
        local = time.localtime(when)
        part = bisect_right(self.at, local.tm_hour * 60 + local.tm_min)
        if part == 0:  # still the last part of the day before
            local = time.localtime(time.mktime((local.tm_year, local.tm_mon, local.tm_mday - 1, 12, 0, 0, 0, 0, -1)))
            part = len(self.at)
        return local.tm_year, local.tm_yday, part


class File:
    """A file that is appended to."""

    def __init__(
        self,
        path: str,
        *,
        mode: int = 0o600,
        rotation: Rotation | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._mode = mode
        self._rotation = rotation
        self._wall = wall
        self._descriptor: int | None = None
        #: The last write stopped inside a line.
        self._torn = False
        self._tidying: threading.Thread | None = None
        self._untidy = False

    def deliver(self, batch: deque[str]) -> None:
        try:
            with self._held() as descriptor:
                write_lines(descriptor, batch, b"\n" if self._torn else b"")
            self._torn = False
        except OSError as error:
            self._torn = self._torn or isinstance(error, Torn)
            self._forget()
            raise

    @contextmanager
    def _held(self) -> Iterator[int]:
        """The file to write to, which nobody renames meanwhile."""
        while True:
            descriptor = self._opened()
            with self._locked(descriptor, exclusive=False):
                is_elsewhere = self._is_elsewhere(descriptor)
                if not is_elsewhere and not self._is_due(descriptor):
                    yield descriptor
                    return
            if not is_elsewhere:
                self._turn_over(descriptor)
            self._forget()

    def _opened(self) -> int:
        if self._descriptor is None:
            self._descriptor = _open(self._path, self._mode)
        return self._descriptor

    def _is_elsewhere(self, descriptor: int) -> bool:
        try:
            there = os.stat(self._path)
        except FileNotFoundError:
            return True
        here = os.fstat(descriptor)
        return (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino)

    def _is_due(self, descriptor: int) -> bool:
        rotation = self._rotation
        if rotation is None:
            return False
        file = os.fstat(descriptor)
        if file.st_size == 0:
            return False
        is_full = rotation.size is not None and file.st_size >= rotation.size
        return is_full or rotation.is_new_period(file.st_mtime, self._wall())

    def _turn_over(self, descriptor: int) -> None:
        assert self._rotation is not None
        with self._locked(descriptor, exclusive=True):
            # Another process may have done it while this one waited for the lock.
            if self._is_elsewhere(descriptor) or not self._is_due(descriptor):
                return
            os.rename(self._path, archive.name_for(self._path, self._wall()))
        self._untidy = True
        if self._tidying is None or not self._tidying.is_alive():
            self._tidying = threading.Thread(target=self._tidy, name=f"old files of {self._path}", daemon=True)
            self._tidying.start()

    def _tidy(self) -> None:
        """In a thread of its own, because compressing takes long: once for all turns that there were meanwhile."""
        assert self._rotation is not None
        while self._untidy:
            self._untidy = False
            archive.tidy(self._path, self._rotation, self._wall)

    @contextmanager
    def _locked(self, descriptor: int, *, exclusive: bool) -> Iterator[None]:
        """Other processes wait for the lock, or share it; a file that is never turned over needs none."""
        if fcntl is None or self._rotation is None:
            yield
            return
        fcntl.flock(descriptor, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        try:
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)

    def reopen(self) -> None:
        self._forget()
        with contextlib.suppress(OSError):  # the next write tries again, and says so
            self._opened()

    def _forget(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def close(self) -> None:
        self._forget()
        # What is not compressed by then will be at the next turn.
        if self._tidying is not None:
            self._tidying.join(TIDYING)


def _open(path: str, mode: int) -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags | os.O_EXCL, mode)
    except FileExistsError:
        return os.open(path, flags, mode)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        descriptor = os.open(path, flags, mode)
    if os.chmod in os.supports_fd:
        os.chmod(descriptor, mode)  # whatever the umask is
    return descriptor
