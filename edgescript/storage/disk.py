"""A store in a file, which all processes of a machine have in common.

An entry is eight bytes that say when it expires, then its value. A second table has the entries that expire in their order,
to the second; whoever writes takes a few of those away whose time is over, so that no step is long.
"""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from struct import Struct
from typing import Any, TypeVar

from edgescript.http.pending import in_task
from edgescript.storage import locks
from edgescript.storage.base import LONGEST_KEY, StorageError, check_value, checked_sum, number_of, stored_key
from edgescript.storage.environment import NAME, RESERVE, Environment, FullError, acquire, release
from edgescript.storage.health import Health

T = TypeVar("T")

#: Bytes, where nobody says otherwise.
DEFAULT_SIZE = 1024 * 1024 * 1024
#: Expired entries that one write takes away on the side: 100 take about 0.3 ms.
STEP = 64
#: Those that are taken away at once where there is no room.
LARGE_STEP = 5000
#: Seconds between two looks for expired entries, and whether the file is still there.
LOOK_EVERY = 1.0
#: Keys that are listed in one transaction.
PAGE = 500
NEVER = math.inf

_END = Struct(">d")
_SECOND = Struct(">Q")
#: What the names of locks begin with; keys do not.
_LOCK = b"\0"
#: Something to write where nothing is to be changed.
_TOUCHED = b"\0"


class Disk:
    """
    :param directory: made where it is missing, for this user alone
    :param clock: seconds, by which entries expire; the same for all processes
    :param max_size: how many bytes the file may have
    """

    def __init__(
        self,
        directory: Path,
        *,
        clock: Callable[[], float] = time.time,
        max_size: int = DEFAULT_SIZE,
        health: Health | None = None,
    ) -> None:
        # One file has one name, whichever link leads there: see `environment.acquire`.
        self._path = directory.resolve() / NAME
        self._clock = clock
        self._max_size = max_size
        self._health = health or Health("disk", str(directory))
        self._environment: Environment | None = None
        self._next_look = 0.0
        self._is_swept = False

    def __repr__(self) -> str:
        return f"<Disk {self._path}>"

    def open(self) -> None:
        """
        Open the file now, and not at the first operation.

        :raises StorageError: if it cannot be had
        """
        if self._environment is None:
            self._environment = acquire(self._path)

    async def get(self, key: str) -> bytes | None:
        stored = stored_key(key)
        now = self._clock()

        def work(transaction: Any) -> bytes | None:
            value, _ = _live(transaction, stored, now)
            return value

        return self._run(work, now)

    async def set(self, key: str, value: bytes, *, ttl: float | None = None, durable: bool = False) -> None:
        stored = stored_key(key)
        check_value(value)
        self._write(lambda writing: writing.put(stored, value, ttl))
        if durable:
            await self._sync()

    async def add(self, key: str, value: bytes, *, ttl: float | None = None) -> bool:
        return self._add(stored_key(key), value, ttl)

    async def delete(self, key: str) -> bool:
        stored = stored_key(key)
        return self._write(lambda writing: writing.delete(stored), is_freeing=True)

    async def increment(self, key: str, amount: int = 1, *, ttl: float | None = None) -> int:
        stored = stored_key(key)

        def work(writing: _Writing) -> int:
            value, end = writing.live(stored)
            if value is None:
                number, end = checked_sum(0, amount), writing.end(ttl)
            else:
                number = checked_sum(number_of(value), amount)
            writing.put_until(stored, b"%d" % number, end)
            return number

        return self._write(work)

    async def update(
        self,
        key: str,
        change: Callable[[bytes | None], tuple[bytes | None, T]],
        *,
        ttl: float | None = None,
        durable: bool = False,
    ) -> T:
        stored = stored_key(key)

        def work(writing: _Writing) -> T:
            old, _ = writing.live(stored)
            new, result = change(old)
            if new is None:
                if old is not None:
                    writing.delete(stored)
            elif new is not old:
                check_value(new)
                writing.put(stored, new, ttl)
            return result

        result = self._write(work)
        if durable:
            await self._sync()
        return result

    async def keys(self, prefix: str = "") -> AsyncIterator[str]:
        first = prefix.encode("utf-8", "surrogatepass")
        if first.startswith(_LOCK) or len(first) > LONGEST_KEY:
            return
        start = first or b"\1"
        while True:
            page, last = self._page(start, first)
            for key in page:
                yield key.decode("utf-8", "surrogatepass")
            if last is None:
                return
            start = last + b"\0"

    def lock(self, key: str, *, ttl: float, wait: float) -> AbstractAsyncContextManager[bool]:
        stored = _LOCK + stored_key(key)

        async def take(token: bytes) -> bool:
            return self._add(stored, token, ttl)

        async def free(token: bytes) -> bool:
            return self._write(
                lambda writing: writing.live(stored)[0] == token and writing.delete(stored), is_freeing=True
            )

        return locks.held(take, free, wait=wait)

    async def close(self) -> None:
        environment, self._environment = self._environment, None
        if environment is not None:
            while environment.syncing:
                import asyncio

                await in_task(asyncio.sleep(0.01))
            release(environment)

    # ---- inside

    def _add(self, stored: bytes, value: bytes, ttl: float | None) -> bool:
        check_value(value)

        def work(writing: _Writing) -> bool:
            if writing.live(stored)[0] is not None:
                return False
            writing.put(stored, value, ttl)
            return True

        return self._write(work)

    def _page(self, start: bytes, prefix: bytes) -> tuple[list[bytes], bytes | None]:
        """Those of the next keys that have not expired, and the last key that was looked at; None at the end."""
        now = self._clock()

        def work(transaction: Any) -> tuple[list[bytes], bytes | None]:
            found: list[bytes] = []
            key: bytes | None = None
            with transaction.cursor() as cursor:
                there = cursor.set_range(start)
                for _ in range(PAGE):
                    if not there:
                        return found, None
                    key = bytes(cursor.key())
                    if not key.startswith(prefix):
                        return found, None
                    if _END.unpack_from(cursor.value())[0] > now:
                        found.append(key)
                    there = cursor.next()
            return found, key

        return self._run(work, now)

    def _write(self, work: Callable[[_Writing], T], *, is_freeing: bool = False) -> T:
        now = self._clock()
        most = int(self._max_size * (1 + RESERVE)) if is_freeing else self._max_size

        def whole(transaction: Any) -> T:
            environment = self._environment
            assert environment is not None, "it runs this"
            writing = _Writing(transaction, environment.expiries, now)
            result = work(writing)
            if not self._is_swept:
                self._is_swept = writing.sweep(STEP) < STEP
            return result

        try:
            result = self._run(whole, now, write=True, most=most)
        except FullError:
            result = self._write_with_room(whole, now, most)
        if self._health.is_down:
            self._health.worked()
        return result

    def _write_with_room(self, whole: Callable[[Any], T], now: float, most: int) -> T:
        """Once more, without what has expired."""
        reserve = int(self._max_size * (1 + RESERVE))

        def sweep(transaction: Any) -> int:
            assert self._environment is not None, "it runs this"
            return _Writing(transaction, self._environment.expiries, now).sweep(LARGE_STEP)

        try:
            self._run(sweep, now, write=True, most=reserve)
            # LMDB uses pages again two transactions after the one that freed them.
            self._run(lambda transaction: transaction.put(_TOUCHED, _END.pack(0.0)), now, write=True, most=reserve)
            return self._run(whole, now, write=True, most=most)
        except FullError as error:
            self._health.failed(error)
            raise

    def _run(self, work: Callable[[Any], T], now: float, *, write: bool = False, most: int = 0) -> T:
        """The one place where the file is used, and where its failures are told."""
        try:
            environment = self._environment
            if environment is None:
                environment = self._environment = acquire(self._path)
            if now >= self._next_look:
                self._next_look = now + LOOK_EVERY
                self._is_swept = False
                environment.look()
            return environment.run(work, write=write, most=most)
        except FullError:
            raise  # what has expired may make room yet
        except StorageError as error:
            self._health.failed(error)
            raise

    async def _sync(self) -> None:
        import asyncio

        environment = self._environment
        assert environment is not None, "something was written"
        environment.syncing += 1
        try:
            await in_task(asyncio.to_thread(environment.sync))
        except StorageError as error:
            self._health.failed(error)
            raise
        finally:
            environment.syncing -= 1


class _Writing:
    """A transaction that writes, at a moment."""

    __slots__ = ("_expiries", "_now", "_transaction")

    def __init__(self, transaction: Any, expiries: Any, now: float) -> None:
        self._transaction = transaction
        self._expiries = expiries
        self._now = now

    def live(self, key: bytes) -> tuple[bytes | None, float]:
        """The value of a key and when it expires; None where there is none any more."""
        return _live(self._transaction, key, self._now)

    def end(self, ttl: float | None) -> float:
        return NEVER if ttl is None else self._now + ttl

    def put(self, key: bytes, value: bytes, ttl: float | None) -> None:
        self.put_until(key, value, self.end(ttl))

    def put_until(self, key: bytes, value: bytes, end: float) -> None:
        held = self._transaction.get(key)
        before = 0 if held is None else _second(_END.unpack_from(held)[0])
        second = _second(end)
        if before != second:
            if before:
                self._transaction.delete(_SECOND.pack(before) + key, db=self._expiries)
            if second:
                self._transaction.put(_SECOND.pack(second) + key, b"", db=self._expiries)
        self._transaction.put(key, _END.pack(end) + value)

    def delete(self, key: bytes) -> bool:
        """Take a key away; whether its time was not over."""
        held = self._transaction.get(key)
        if held is None:
            return False
        end: float = _END.unpack_from(held)[0]
        if end != NEVER:
            self._transaction.delete(_SECOND.pack(_second(end)) + key, db=self._expiries)
        self._transaction.delete(key)
        return end > self._now

    def sweep(self, most: int) -> int:
        """Take away up to so many entries whose time is over; how many it were."""
        found: list[bytes] = []
        with self._transaction.cursor(db=self._expiries) as cursor:
            there = cursor.first()
            while there and len(found) < most:
                listed = bytes(cursor.key())
                if _SECOND.unpack_from(listed)[0] > self._now:
                    break
                found.append(listed)
                there = cursor.next()
        for listed in found:
            self._transaction.delete(listed, db=self._expiries)
            self._transaction.delete(listed[_SECOND.size :])
        return len(found)


def _live(transaction: Any, key: bytes, now: float) -> tuple[bytes | None, float]:
    held = transaction.get(key)
    if held is None:
        return None, NEVER
    end: float = _END.unpack_from(held)[0]
    return (bytes(held[_END.size :]), end) if end > now else (None, NEVER)


def _second(end: float) -> int:
    """The first whole second at which an entry has expired; 0 for those that never do."""
    return 0 if end == NEVER else max(math.ceil(end), 1)
