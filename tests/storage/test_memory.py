"""What only the store in memory promises: by a clock that is passed in, and within its bound."""

from __future__ import annotations

import pytest

from edgescript.storage.base import StorageError
from edgescript.storage.memory import MOST_STALE, OVERHEAD, Memory

pytestmark = pytest.mark.anyio


async def keys_of(store: Memory) -> list[str]:
    return [key async for key in store.keys("")]


class Hands:
    """A clock that stands still until it is put forward."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_an_entry_is_there_until_its_time_is_over_and_not_a_moment_longer() -> None:
    clock = Hands()
    store = Memory(clock)
    await store.set("a", b"1", ttl=10)
    clock.now += 9.999
    assert await store.get("a") == b"1"
    clock.now += 0.001
    assert await store.get("a") is None
    assert await keys_of(store) == []


async def test_what_was_not_used_for_longest_goes_first() -> None:
    store = Memory(Hands(), max_size=3 * (OVERHEAD + 2))
    for key in "abc":
        await store.set(key, b"1")
    await store.get("a")
    await store.set("d", b"1")
    assert sorted(await keys_of(store)) == ["a", "c", "d"]


async def test_what_has_expired_goes_before_what_is_in_use() -> None:
    clock = Hands()
    store = Memory(clock, max_size=3 * (OVERHEAD + 2))
    await store.set("o", b"", ttl=None)
    await store.set("b", b"1", ttl=5)
    await store.get("b")
    clock.now += 5
    await store.set("c", b"1")
    await store.set("d", b"1")
    assert sorted(await keys_of(store)) == ["c", "d", "o"]


async def test_a_value_that_never_fits_is_refused() -> None:
    store = Memory(Hands(), max_size=1000)
    with pytest.raises(StorageError, match="full"):
        await store.set("a", bytes(1000))


async def test_its_size_is_never_more_than_allowed_and_nothing_when_it_is_empty() -> None:
    clock = Hands()
    store = Memory(clock, max_size=20_000)
    for turn in range(1000):
        await store.set(f"key {turn % 300}", bytes(turn % 700), ttl=turn % 7 + 1)
        clock.now += 0.01
        assert store._size <= 20_000
        assert len(store._expiries) <= 2 * len(store._entries) + MOST_STALE
    for key in await keys_of(store):
        await store.delete(key)
    clock.now += 10
    await store.set("last", b"")
    assert store._size == OVERHEAD + 4


async def test_a_lock_is_not_dropped_by_a_flood_of_values() -> None:
    store = Memory(Hands(), max_size=2 * OVERHEAD + 20)
    async with store.lock("one", ttl=10, wait=0) as first:
        for number in range(100):
            await store.set(f"{number}", b"")
        async with store.lock("one", ttl=10, wait=0) as second:
            assert (first, second) == (True, False)
