"""A store in the memory of one process. It is bounded: where there is no room, what was not used for longest is dropped.

Locks are kept apart, so that no flood of values drops one.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from edgescript.storage import locks
from edgescript.storage.base import StorageError, check_value, checked_sum, number_of, stored_key

T = TypeVar("T")

#: Bytes that an entry takes beside its key and value (CPython 3.11: two objects, a tuple, its place in the dictionary).
OVERHEAD = 300
#: Bytes, where nobody says otherwise.
DEFAULT_SIZE = 64 * 1024 * 1024
#: Expiries on the list for entries that are gone, before it is made anew.
MOST_STALE = 500
#: Locks that may be there before those are looked for whose time is over.
MOST_LOCKS = 1000
NEVER = float("inf")


class Memory:
    """
    :param clock: seconds, by which entries expire
    :param max_size: how many bytes all entries may take
    """

    def __init__(self, clock: Callable[[], float], *, max_size: int = DEFAULT_SIZE) -> None:
        self._clock = clock
        self._max_size = max_size
        self._size = 0
        #: By key, the longest unused first: value and when it expires.
        self._entries: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        #: When which key expires, as was said once: what was changed since is found out when its time comes.
        self._expiries: list[tuple[float, str]] = []
        self._locks: dict[str, tuple[bytes, float]] = {}

    def __repr__(self) -> str:
        return f"<Memory: {len(self._entries)} entries, {self._size} of {self._max_size} bytes>"

    async def get(self, key: str) -> bytes | None:
        stored_key(key)
        return self._get(key)

    async def set(self, key: str, value: bytes, *, ttl: float | None = None, durable: bool = False) -> None:
        stored_key(key)
        self._put(key, value, self._end(ttl))

    async def add(self, key: str, value: bytes, *, ttl: float | None = None) -> bool:
        stored_key(key)
        if self._get(key) is not None:
            return False
        self._put(key, value, self._end(ttl))
        return True

    async def delete(self, key: str) -> bool:
        stored_key(key)
        was_there = self._get(key) is not None
        if was_there:
            self._drop(key)
        return was_there

    async def increment(self, key: str, amount: int = 1, *, ttl: float | None = None) -> int:
        stored_key(key)
        value = self._get(key)
        if value is None:
            number, end = checked_sum(0, amount), self._end(ttl)
        else:
            number, end = checked_sum(number_of(value), amount), self._entries[key][1]
        self._put(key, b"%d" % number, end)
        return number

    async def update(
        self,
        key: str,
        change: Callable[[bytes | None], tuple[bytes | None, T]],
        *,
        ttl: float | None = None,
        durable: bool = False,
    ) -> T:
        stored_key(key)
        old = self._get(key)
        new, result = change(old)
        if new is not None:
            if new is not old:
                self._put(key, new, self._end(ttl))
        elif old is not None:
            self._drop(key)
        return result

    async def keys(self, prefix: str = "") -> AsyncIterator[str]:
        for key in [key for key in self._entries if key.startswith(prefix)]:
            if self._is_there(key):
                yield key

    def lock(self, key: str, *, ttl: float, wait: float) -> AbstractAsyncContextManager[bool]:
        stored_key(key)

        async def take(token: bytes) -> bool:
            now = self._clock()
            if key in self._locks and now < self._locks[key][1]:
                return False
            if len(self._locks) >= MOST_LOCKS:
                self._locks = {key: lock for key, lock in self._locks.items() if now < lock[1]}
            self._locks[key] = (token, now + ttl)
            return True

        async def free(token: bytes) -> None:
            if key in self._locks and self._locks[key][0] == token:
                del self._locks[key]

        return locks.held(take, free, wait=wait)

    async def close(self) -> None:
        self._entries.clear()
        self._expiries.clear()
        self._size = 0

    # ---- one entry

    def _is_there(self, key: str) -> bool:
        entry = self._entries.get(key)
        return entry is not None and self._clock() < entry[1]

    def _get(self, key: str) -> bytes | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        value, end = entry
        if end <= self._clock():
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return value

    def _end(self, ttl: float | None) -> float:
        return NEVER if ttl is None else self._clock() + ttl

    def _put(self, key: str, value: bytes, end: float) -> None:
        check_value(value)
        size = _size(key, value)
        if size > self._max_size:
            raise StorageError(f"the memory store is full: it may hold {self._max_size} bytes")
        if key in self._entries:
            self._drop(key)
        self._drop_expired()
        while self._size + size > self._max_size:
            self._drop(next(iter(self._entries)))
        self._entries[key] = (value, end)
        self._size += size
        if end != NEVER:
            self._expect(key, end)

    def _drop(self, key: str) -> None:
        value, _ = self._entries.pop(key)
        self._size -= _size(key, value)

    # ---- expiry

    def _expect(self, key: str, end: float) -> None:
        heapq.heappush(self._expiries, (end, key))
        if len(self._expiries) > 2 * len(self._entries) + MOST_STALE:
            self._expiries = [(end, key) for key, (_, end) in self._entries.items() if end != NEVER]
            heapq.heapify(self._expiries)

    def _drop_expired(self) -> None:
        now = self._clock()
        while self._expiries and self._expiries[0][0] <= now:
            _, key = heapq.heappop(self._expiries)
            if key in self._entries and self._entries[key][1] <= now:
                self._drop(key)


def _size(key: str, value: bytes) -> int:
    return len(key) + len(value) + OVERHEAD
