"""Keys and values that all workers share, and with the right storage all machines: what the `storage` setting names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from edgescript.api._scope import current
from edgescript.storage.base import Storage, StorageError

T = TypeVar("T")

__all__ = ["StorageError", "Store", "store"]

#: In front of every key, so that handlers and the server's own parts cannot meet.
_PREFIX = "python/"


class Store:
    """
    Keys and values in the server's storage.

    Keys are texts of at most 400 bytes, values bytes; text is kept as UTF-8. Every method raises StorageError where the store
    cannot be reached or is full, and ValueError for a key or value that is too long. A handler that lets the former through
    has the request answered 503.

    :param namespace: in front of every key: `Store("shop")` and `Store("blog")` do not see each other's keys
    """

    __slots__ = ("_prefix",)

    def __init__(self, namespace: str = "") -> None:
        self._prefix = f"{_PREFIX}{namespace}/" if namespace else _PREFIX

    async def get(self, key: str) -> bytes | None:
        """The value of a key, or None."""
        return await _storage().get(self._prefix + key)

    async def set(self, key: str, value: bytes | str, *, ttl: float | None = None) -> None:
        """
        Give a key its value.

        :param ttl: seconds for which it is kept; None: for ever
        """
        await _storage().set(self._prefix + key, _bytes(value), ttl=ttl)

    async def add(self, key: str, value: bytes | str, *, ttl: float | None = None) -> bool:
        """Give a key its value if it has none; whether it was so."""
        return await _storage().add(self._prefix + key, _bytes(value), ttl=ttl)

    async def delete(self, key: str) -> bool:
        """Take a key away; whether it was there."""
        return await _storage().delete(self._prefix + key)

    async def increment(self, key: str, amount: int = 1, *, ttl: float | None = None) -> int:
        """
        Add to a whole number, which is 0 where there is none, and give the new one.

        :param ttl: seconds for which it is kept, counted from its first increment
        :raises ValueError: if the key holds something else
        """
        return await _storage().increment(self._prefix + key, amount, ttl=ttl)

    async def update(
        self, key: str, change: Callable[[bytes | None], tuple[bytes | None, T]], *, ttl: float | None = None
    ) -> T:
        """
        Read, change and write one key, while nobody else changes it.

        :param change: is given the value, and gives the new one (None: take it away) and the result; it may be called more
            than once, and must have no effect of its own
        """
        return await _storage().update(self._prefix + key, change, ttl=ttl)

    async def keys(self, prefix: str = "") -> AsyncIterator[str]:
        """The keys that begin with a prefix, in no particular order."""
        skipped = len(self._prefix)
        async for key in _storage().keys(self._prefix + prefix):
            yield key[skipped:]


def _storage() -> Storage:
    storage = current("the store").storage
    if storage is None:
        raise StorageError("there is no storage here")
    return storage


def _bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value


#: The store without a namespace.
store = Store()
