"""What every store of shared state promises, whether the workers of one machine share it or several machines.

Keys are short texts, values bytes; every entry may have a time to live, after which it is as if it were not there. Methods
are coroutines that a step may await: they wait for nothing but `http.pending.Pending`, so that a store that answers at once
costs no task. An operation either happens as a whole or not at all, whoever else is at the same key.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from typing import Protocol, TypeVar

T = TypeVar("T")

#: Bytes of a key in UTF-8. LMDB takes 511, of which its index of expiries takes 8; what is longer is refused everywhere alike.
LONGEST_KEY = 480
#: Bytes of a value.
LARGEST_VALUE = 16 * 1024 * 1024
#: What a whole number is counted in, as in Redis.
LEAST_NUMBER, MOST_NUMBER = -(2**63), 2**63 - 1


class StorageError(Exception):
    """The store cannot be reached, is full, or is damaged; the message is one line for the log."""


class Storage(Protocol):
    """
    A store.

    Every method raises StorageError where the store fails, soon: none waits longer than a few seconds for one that is gone;
    and ValueError for a key or value that is too long, and for a key that begins with a NUL, which are the store's own.
    """

    async def get(self, key: str) -> bytes | None:
        """The value of a key, or None."""

    async def set(self, key: str, value: bytes, *, ttl: float | None = None, durable: bool = False) -> None:
        """
        Give a key its value.

        :param ttl: seconds for which it is kept; None: for ever
        :param durable: come back only when it would survive a loss of power, where the store can do that
        """

    async def add(self, key: str, value: bytes, *, ttl: float | None = None) -> bool:
        """Give a key its value if it has none; whether it was so."""

    async def delete(self, key: str) -> bool:
        """Take a key away; whether it was there."""

    async def increment(self, key: str, amount: int = 1, *, ttl: float | None = None) -> int:
        """
        Add to a whole number of 64 bits, which is 0 where there is none, and give the new one.

        Its value, as `get` gives it, is the number in decimal.

        :param ttl: seconds for which it is kept from its first increment on
        :raises ValueError: if the key holds something else, or the sum is too large
        """

    async def update(
        self,
        key: str,
        change: Callable[[bytes | None], tuple[bytes | None, T]],
        *,
        ttl: float | None = None,
        durable: bool = False,
    ) -> T:
        """
        Read, change and write one key as one operation.

        :param change: is given the value, and gives the new one (None: take it away) and the result; it may be called more
            than once and must have no effect of its own. Where it gives the very object that it was given, nothing is written.
        :param ttl: seconds for which the new value is kept; None: for ever
        :param durable: as of `set`
        """

    def keys(self, prefix: str = "") -> AsyncIterator[str]:
        """The keys that begin with a prefix, in no particular order; those that come or go meanwhile may be among them."""

    def lock(self, key: str, *, ttl: float, wait: float) -> AbstractAsyncContextManager[bool]:
        """
        Hold a lock while the block runs; gives False, and runs the block without it, if it was not to be had in time.

        Locks have names of their own: a lock and a value of the same key know nothing of each other.

        :param ttl: seconds after which it is free again, should its holder have died
        :param wait: seconds to wait for it
        """

    async def close(self) -> None:
        """Give back what it holds. A store that is used again afterwards opens anew."""


#: The store that graphs are given instead of the one that they name, while tests of an Edgefile run.
INSTEAD: ContextVar[Storage | None] = ContextVar("INSTEAD", default=None)


def stored_key(key: str) -> bytes:
    """
    A key as it is stored.

    :raises ValueError: if it is too long, or the store's own
    """
    stored = key.encode("utf-8", "surrogatepass")
    if len(stored) > LONGEST_KEY or not stored or stored[0] == 0:
        raise ValueError(_what_is_wrong_with(stored))
    return stored


def _what_is_wrong_with(stored: bytes) -> str:
    if len(stored) > LONGEST_KEY:
        return f"a key of {len(stored)} bytes is too long: {LONGEST_KEY} are allowed"
    return "a key must not begin with a NUL" if stored else "a key must not be empty"


def check_value(value: bytes) -> None:
    """
    Nothing, for a value that may be stored.

    :raises ValueError: if it is too long
    """
    if len(value) > LARGEST_VALUE:
        raise ValueError(f"a value of {len(value)} bytes is too long: {LARGEST_VALUE} are allowed")


def number_of(value: bytes) -> int:
    """
    The whole number that a value is.

    :raises ValueError: if it is none
    """
    # The length first: int() takes time that grows with the square of it. Written in any other way, Redis takes it for none.
    if len(value) <= 20 and value.removeprefix(b"-").isdigit() and b"%d" % int(value) == value:
        return int(value)
    raise ValueError("the key does not hold a whole number")


def checked_sum(number: int, amount: int) -> int:
    """
    The sum of two whole numbers of 64 bits.

    :raises ValueError: if it is too large
    """
    found = number + amount
    if not LEAST_NUMBER <= found <= MOST_NUMBER:
        raise ValueError("the number is too large")
    return found
