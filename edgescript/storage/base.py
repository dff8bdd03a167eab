"""What every store of shared state promises, whether the workers of one machine share it or several machines.

Keys are short texts, values bytes; every entry may have a time to live, after which it is as if it were not there. Methods
are coroutines that a step may await: they wait for nothing but `http.pending.Pending`, so that a store that answers at once
costs no task. An operation either happens as a whole or not at all, whoever else is at the same key.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

T = TypeVar("T")

#: Bytes of a key in UTF-8. LMDB takes 511; what is longer is refused everywhere alike.
LONGEST_KEY = 480
#: Bytes of a value.
LARGEST_VALUE = 16 * 1024 * 1024


class StorageError(Exception):
    """The store cannot be reached, is full, or is damaged; the message is one line for the log."""


class Storage(Protocol):
    """
    A store.

    Every method raises StorageError where the store fails, soon: none waits longer than a few seconds for one that is gone;
    and ValueError for a key or value that is too long.
    """

    async def get(self, key: str) -> bytes | None:
        """The value of a key, or None."""

    async def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        """
        Give a key its value.

        :param ttl: seconds for which it is kept; None: for ever
        """

    async def add(self, key: str, value: bytes, *, ttl: float | None = None) -> bool:
        """Give a key its value if it has none; whether it was so."""

    async def delete(self, key: str) -> bool:
        """Take a key away; whether it was there."""

    async def increment(self, key: str, amount: int = 1, *, ttl: float | None = None) -> int:
        """
        Add to a whole number, which is 0 where there is none, and give the new one.

        :param ttl: seconds for which it is kept from its first increment on
        :raises ValueError: if the key holds something else
        """

    async def update(
        self, key: str, change: Callable[[bytes | None], tuple[bytes | None, T]], *, ttl: float | None = None
    ) -> T:
        """
        Read, change and write one key as one operation.

        :param change: is given the value, and gives the new one (None: take it away) and the result; it may be called more
            than once and must have no effect of its own
        """

    def keys(self, prefix: str = "") -> AsyncIterator[str]:
        """The keys that begin with a prefix, in no particular order; those that come or go meanwhile may be among them."""

    def lock(self, key: str, *, ttl: float, wait: float) -> AbstractAsyncContextManager[bool]:
        """
        Hold a lock while the block runs; gives False, and runs the block without it, if it was not to be had in time.

        :param ttl: seconds after which it is free again, should its holder have died
        :param wait: seconds to wait for it
        """

    async def close(self) -> None:
        """Give back what it holds."""
