"""A store that is made when it is first used, so that reading an Edgefile opens nothing and imports nothing heavy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from edgescript.storage.base import Storage

T = TypeVar("T")


class Lazy:
    """
    :param make: gives the store; what it raises is what the operation raises, and the next one tries again
    """

    def __init__(self, make: Callable[[], Storage]) -> None:
        self._make = make
        self._made: Storage | None = None

    def __repr__(self) -> str:
        return f"<Lazy {self._made!r}>"

    @property
    def _store(self) -> Storage:
        if self._made is None:
            self._made = self._make()
        return self._made

    async def get(self, key: str) -> bytes | None:
        return await self._store.get(key)

    async def set(self, key: str, value: bytes, *, ttl: float | None = None, durable: bool = False) -> None:
        await self._store.set(key, value, ttl=ttl, durable=durable)

    async def add(self, key: str, value: bytes, *, ttl: float | None = None) -> bool:
        return await self._store.add(key, value, ttl=ttl)

    async def delete(self, key: str) -> bool:
        return await self._store.delete(key)

    async def increment(self, key: str, amount: int = 1, *, ttl: float | None = None) -> int:
        return await self._store.increment(key, amount, ttl=ttl)

    async def update(
        self,
        key: str,
        change: Callable[[bytes | None], tuple[bytes | None, T]],
        *,
        ttl: float | None = None,
        durable: bool = False,
    ) -> T:
        return await self._store.update(key, change, ttl=ttl, durable=durable)

    def keys(self, prefix: str = "") -> AsyncIterator[str]:
        return self._store.keys(prefix)

    def lock(self, key: str, *, ttl: float, wait: float) -> AbstractAsyncContextManager[bool]:
        return self._store.lock(key, ttl=ttl, wait=wait)

    async def close(self) -> None:
        made, self._made = self._made, None
        if made is not None:
            await made.close()
