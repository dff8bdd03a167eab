"""Any sequence of operations does to a store what it does to a dictionary."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from edgescript.storage.base import MOST_NUMBER, Storage
from edgescript.storage.disk import Disk
from edgescript.storage.memory import Memory
from tests.storage.conftest import NEEDS_REDIS, Hands, redis_maker

KEYS = some.sampled_from(["a", "b", "ab", "ключ", "*"])
VALUES = some.one_of(some.binary(max_size=20), some.integers(-5, 5).map(lambda number: b"%d" % number))
#: Those that pass in the test, and those that do not.
TTLS = some.sampled_from([None, 1000.0, 3000.0])
OPERATIONS = some.lists(
    some.one_of(
        some.tuples(some.just("get"), KEYS),
        some.tuples(some.just("set"), KEYS, VALUES, TTLS),
        some.tuples(some.just("add"), KEYS, VALUES, TTLS),
        some.tuples(some.just("delete"), KEYS),
        some.tuples(some.just("increment"), KEYS, some.sampled_from([1, -3, 0, MOST_NUMBER]), TTLS),
        some.tuples(some.just("update"), KEYS, some.one_of(some.none(), VALUES, some.just("same")), TTLS),
        some.tuples(some.just("keys"), some.sampled_from(["", "a", "ab", "*", "x"])),
        some.tuples(some.just("pass"), some.sampled_from([600.0, 1500.0])),
    ),
    max_size=40,
)


class Model:
    """What is promised, in as few words as possible."""

    def __init__(self, hands: Hands) -> None:
        self.hands = hands
        self.entries: dict[str, tuple[bytes, float]] = {}

    def live(self) -> dict[str, tuple[bytes, float]]:
        return {key: entry for key, entry in self.entries.items() if entry[1] > self.hands.now}

    def put(self, key: str, value: bytes, ttl: float | None) -> None:
        self.entries[key] = (value, float("inf") if ttl is None else self.hands.now + ttl)

    def do(self, name: str, *given: Any) -> Any:
        self.entries = self.live()
        return getattr(self, name)(*given)

    def get(self, key: str) -> bytes | None:
        return self.entries.get(key, (None, 0))[0]

    def set(self, key: str, value: bytes, ttl: float | None) -> None:
        self.put(key, value, ttl)

    def add(self, key: str, value: bytes, ttl: float | None) -> bool:
        if key in self.entries:
            return False
        self.put(key, value, ttl)
        return True

    def delete(self, key: str) -> bool:
        return self.entries.pop(key, None) is not None

    def increment(self, key: str, amount: int, ttl: float | None) -> int | str:
        value = self.get(key)
        if value is not None and value != str(_number(value)).encode():
            return "ValueError"
        found = (_number(value) or 0) + amount
        if abs(found) > MOST_NUMBER:
            return "ValueError"
        if value is None:
            self.put(key, b"%d" % found, ttl)
        else:
            self.entries[key] = (b"%d" % found, self.entries[key][1])
        return found

    def update(self, key: str, new: Any, ttl: float | None) -> bytes | None:
        old = self.get(key)
        if new is None:
            self.entries.pop(key, None)
        elif new != "same":
            self.put(key, new, ttl)
        return old

    def keys(self, prefix: str) -> list[str]:
        return sorted(key for key in self.entries if key.startswith(prefix))


def _number(value: bytes | None) -> int | None:
    try:
        return None if value is None else int(value.decode("ascii"))
    except ValueError:
        return None


async def do(store: Storage, name: str, *given: Any) -> Any:
    match name:
        case "set":
            return await store.set(given[0], given[1], ttl=given[2])
        case "add":
            return await store.add(given[0], given[1], ttl=given[2])
        case "increment":
            try:
                return await store.increment(given[0], given[1], ttl=given[2])
            except ValueError:
                return "ValueError"
        case "update":
            new = given[1]
            return await store.update(given[0], lambda old: (old if new == "same" else new, old), ttl=given[2])
        case "keys":
            return sorted([key async for key in store.keys(given[0])])
    return await getattr(store, name)(*given)


async def compare(store: Storage, operations: list[tuple[Any, ...]], hands: Hands, *, can_wait: bool) -> None:
    model = Model(hands)
    try:
        for key in [key async for key in store.keys("")]:
            await store.delete(key)
        for name, *given_ in operations:
            if name == "pass":
                if can_wait:
                    hands.now += given_[0]
                continue
            expected = model.do(name, *given_)
            assert await do(store, name, *given_) == expected, (name, given_)
    finally:
        await store.close()


@pytest.fixture(
    params=[
        "memory",
        "disk",
        pytest.param("redis-unix", marks=NEEDS_REDIS),
        pytest.param("redis-cluster", marks=NEEDS_REDIS),
    ]
)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Callable[[Hands], Storage], bool]]:
    """Makes a store that lives by a clock, or by its own (False)."""
    if request.param == "memory":
        yield Memory, True
    elif request.param == "disk":
        yield lambda hands: Disk(tmp_path, clock=hands), True
    else:
        maker = redis_maker(request.param, request)
        yield lambda hands: maker(), False


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=OPERATIONS)
def test_a_store_is_a_dictionary(
    make: tuple[Callable[[Hands], Storage], bool], operations: list[tuple[Any, ...]]
) -> None:
    hands = Hands()
    maker, can_wait = make
    asyncio.run(compare(maker(hands), operations, hands, can_wait=can_wait))
