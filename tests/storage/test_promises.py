"""What every store promises, held to by each of them: see `conftest.STORES`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from edgescript.http.pending import Drive, Pending
from edgescript.storage.base import LARGEST_VALUE, LONGEST_KEY, Storage

pytestmark = pytest.mark.anyio


async def keys_of(store: Storage, prefix: str = "") -> list[str]:
    return sorted([key async for key in store.keys(prefix)])


async def set_all(store: Storage, names: list[str]) -> None:
    """Not all at once: an operation may take two seconds, of which a slow machine needs more for a thousand."""
    for start in range(0, len(names), 20):
        await asyncio.gather(*[store.set(name, b"") for name in names[start : start + 20]])


class TestValues:
    async def test_a_key_that_was_never_set_has_no_value(self, world: Any) -> None:
        assert await world.store.get("nothing") is None

    @pytest.mark.parametrize(
        "value",
        [b"1", b"", bytes(range(256)), b"\r\n", b"*3\r\n$3\r\n", bytes(300_000)],
        ids=lambda value: repr(value[:9]),
    )
    async def test_a_value_comes_back_as_it_was_for_whoever_asks(self, world: Any, value: bytes) -> None:
        await world.store.set("a", value)
        assert await world.store.get("a") == value
        assert await world.other.get("a") == value

    async def test_a_later_value_takes_the_place_of_an_earlier_one(self, world: Any) -> None:
        await world.store.set("a", b"one")
        await world.other.set("a", b"2", durable=True)
        assert await world.store.get("a") == b"2"

    @pytest.mark.parametrize(
        "key", ["clé", "ключ", "🔑", " ", "a b\r\n", "{tag}", "a*b?[c]\\", "x" * LONGEST_KEY, "é" * (LONGEST_KEY // 2)],
        ids=lambda key: key[:9].strip() or "space",
    )  # fmt: skip
    async def test_a_key_may_be_any_text(self, world: Any, key: str) -> None:
        await world.store.set(key, b"here")
        assert await world.other.get(key) == b"here"
        assert await keys_of(world.store) == [key]
        assert await keys_of(world.store, key) == [key]
        assert await world.store.delete(key)
        assert await keys_of(world.store) == []

    @pytest.mark.parametrize("key", ["x" * (LONGEST_KEY + 1), "é" * (LONGEST_KEY // 2 + 1), "", "\0", "\0a"])
    async def test_a_key_that_cannot_be_is_refused_by_every_method(self, world: Any, key: str) -> None:
        store = world.store
        for call in (
            store.get(key), store.set(key, b""), store.add(key, b""), store.delete(key), store.increment(key),
            store.update(key, lambda old: (old, None)),
        ):  # fmt: skip
            with pytest.raises(ValueError, match="a key"):
                await call
        with pytest.raises(ValueError, match="a key"):
            async with store.lock(key, ttl=1, wait=0):
                pass
        assert await keys_of(store) == []

    async def test_a_value_that_is_too_long_is_refused_and_changes_nothing(self, world: Any) -> None:
        store = world.store
        await store.set("a", b"before")
        large = bytes(LARGEST_VALUE + 1)
        for call in (store.set("a", large), store.add("b", large), store.update("a", lambda old: (large, None))):
            with pytest.raises(ValueError, match="too long"):
                await call
        assert await store.get("a") == b"before"
        assert await store.get("b") is None

    async def test_the_largest_value_is_kept(self, world: Any) -> None:
        large = b"0123456789abcdef" * (LARGEST_VALUE // 16)
        await world.store.set("large", large)
        assert await world.other.get("large") == large
        assert await world.store.delete("large")

    async def test_what_is_deleted_is_gone_and_only_the_first_who_asks_did_it(self, world: Any) -> None:
        await world.store.set("a", b"1")
        assert await world.other.delete("a")
        assert not await world.store.delete("a")
        assert await world.store.get("a") is None

    async def test_only_the_first_adds(self, world: Any) -> None:
        assert await world.store.add("a", b"first")
        assert not await world.other.add("a", b"second")
        assert await world.store.get("a") == b"first"
        await world.store.delete("a")
        assert await world.store.add("a", b"third")

    async def test_a_store_that_was_closed_opens_again(self, world: Any) -> None:
        await world.store.set("a", b"1")
        await world.store.close()
        await world.store.close()
        await world.store.set("b", b"2")
        assert await world.store.get("b") == b"2"

    async def test_a_step_that_is_driven_without_a_task_can_use_it(self, world: Any) -> None:
        given: Pending[Any] = Pending()

        async def step() -> list[Any]:
            await world.store.set("a", b"1", ttl=60)
            async with world.store.lock("a", ttl=60, wait=1) as got:
                number = await world.store.increment("a")
                return [got, number, await world.store.get("a"), await keys_of(world.store)]

        def done(result: Any, error: BaseException | None) -> None:
            if error is not None:
                given.fail(error)
            else:
                given.set(result)

        Drive(step(), done).start()
        assert await given == [True, 2, b"2", ["a"]]


class TestTime:
    async def test_an_entry_is_there_until_its_time_is_over(self, world: Any) -> None:
        await world.store.set("a", b"1", ttl=2 * world.second)
        await world.store.add("b", b"1", ttl=2 * world.second)
        await world.store.set("c", b"1", ttl=1000)
        await world.wait(world.second)
        assert await keys_of(world.other) == ["a", "b", "c"]
        await world.wait(1.5 * world.second)
        assert await world.store.get("a") is None
        assert await world.store.get("b") is None
        assert await keys_of(world.other) == ["c"]
        assert not await world.store.delete("a")
        assert await world.store.add("b", b"2")

    async def test_a_value_that_is_set_anew_has_a_time_anew(self, world: Any) -> None:
        for key in ("longer", "for ever"):
            await world.store.set(key, b"1", ttl=world.second)
        await world.store.set("shorter", b"1")
        await world.store.set("longer", b"2", ttl=1000)
        await world.store.set("for ever", b"2")
        await world.store.set("shorter", b"2", ttl=world.second)
        await world.wait(1.5 * world.second)
        assert await keys_of(world.store) == ["for ever", "longer"]

    async def test_a_number_is_kept_from_its_first_increment_on(self, world: Any) -> None:
        assert await world.store.increment("a", ttl=2 * world.second) == 1
        await world.wait(1.2 * world.second)
        assert await world.store.increment("a", ttl=2 * world.second) == 2
        await world.wait(1.2 * world.second)
        assert await world.store.increment("a", ttl=2 * world.second) == 1

    async def test_what_is_changed_is_kept_as_long_as_is_said_then(self, world: Any) -> None:
        for key in ("same", "new", "for ever", "gone"):
            await world.store.set(key, b"1", ttl=world.second)
        await world.store.update("same", lambda old: (old, None), ttl=1000)
        await world.store.update("new", lambda old: (b"2", None), ttl=1000)
        await world.store.update("for ever", lambda old: (b"2", None))
        await world.store.update("gone", lambda old: (b"2", None), ttl=world.second)
        await world.wait(1.5 * world.second)
        assert await keys_of(world.store) == ["for ever", "new"]
        assert await world.store.update("same", lambda old: (None, old)) is None

    async def test_no_time_at_all_is_over_at_once(self, world: Any) -> None:
        await world.store.set("a", b"1")
        await world.store.set("a", b"2", ttl=0)
        await world.store.add("b", b"2", ttl=0)
        await world.wait(0.01)
        assert await keys_of(world.store) == []


class TestNumbers:
    async def test_a_number_begins_at_nothing_and_goes_both_ways(self, world: Any) -> None:
        assert await world.store.increment("a") == 1
        assert await world.other.increment("a", 41) == 42
        assert await world.store.increment("a", -50) == -8
        assert await world.store.increment("a", 0) == -8
        assert await world.store.get("a") == b"-8"

    async def test_a_value_that_is_a_number_is_counted_on_from(self, world: Any) -> None:
        await world.store.set("a", b"9007199254740993")
        assert await world.store.increment("a", 2, ttl=100) == 9007199254740995

    @pytest.mark.parametrize("value", [b"", b"x", b"1.5", b" 1", b"1 ", b"+1", b"007", b"-0", b"9" * 30, "１".encode()])
    async def test_what_is_no_number_is_refused_and_stays(self, world: Any, value: bytes) -> None:
        await world.store.set("a", value)
        for ttl in (None, 10):
            with pytest.raises(ValueError, match="number"):
                await world.store.increment("a", ttl=ttl)
        assert await world.store.get("a") == value

    async def test_a_number_stays_within_64_bits(self, world: Any) -> None:
        most = 2**63 - 1
        assert await world.store.increment("a", most) == most
        for ttl in (None, 10):
            with pytest.raises(ValueError, match="large"):
                await world.store.increment("a", ttl=ttl)
        with pytest.raises(ValueError, match="large"):
            await world.store.increment("b", 2**63)
        assert await world.store.get("a") == b"%d" % most


class TestUpdates:
    async def test_a_change_sees_the_value_and_gives_the_next_and_a_result(self, world: Any) -> None:
        assert await world.store.update("a", lambda old: (b"1", old)) is None
        assert await world.other.update("a", lambda old: (b"2", old)) == b"1"
        assert await world.store.update("a", lambda old: (None, old)) == b"2"
        assert await world.store.update("a", lambda old: (None, old), durable=True) is None
        assert await world.store.get("a") is None

    async def test_an_error_of_the_change_comes_through_and_changes_nothing(self, world: Any) -> None:
        await world.store.set("a", b"1")

        def change(old: bytes | None) -> tuple[bytes, None]:
            raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            await world.store.update("a", change)
        assert await world.store.get("a") == b"1"
        assert await world.store.increment("a") == 2

    async def test_an_empty_value_is_a_value(self, world: Any) -> None:
        await world.store.set("a", b"")
        assert await world.store.update("a", lambda old: (b"", old)) == b""
        assert await world.store.get("a") == b""
        assert not await world.store.add("a", b"1")


class TestManyAtOnce:
    async def test_200_increments_and_200_changes_all_count(self, world: Any) -> None:
        def change(old: bytes | None) -> tuple[bytes, int]:
            number = int(old or b"0") + 1
            return b"%d" % number, number

        both = (world.store, world.other)
        counted = await asyncio.gather(*[both[turn % 2].increment("i") for turn in range(200)])
        changed = await asyncio.gather(*[both[turn % 2].update("u", change, ttl=60) for turn in range(200)])
        assert sorted(counted) == sorted(changed) == list(range(1, 201))
        assert await world.store.get("i") == await world.store.get("u") == b"200"

    async def test_one_of_many_adds(self, world: Any) -> None:
        both = (world.store, world.other)
        added = await asyncio.gather(*[both[turn % 2].add("a", b"%d" % turn) for turn in range(100)])
        assert sum(added) == 1
        assert await world.store.get("a") == b"%d" % added.index(True)

    async def test_one_of_many_deletes(self, world: Any) -> None:
        await world.store.set("a", b"1")
        both = (world.store, world.other)
        assert sum(await asyncio.gather(*[both[turn % 2].delete("a") for turn in range(100)])) == 1


class TestKeys:
    async def test_keys_are_found_by_how_they_begin_and_nothing_is_a_pattern(self, world: Any) -> None:
        names = ["user:1", "user:2", "user*", "user?x", "use", "u[s]er", "User:1", "\\user"]
        for name in names:
            await world.store.set(name, b"")
        assert await keys_of(world.store) == sorted(names)
        assert await keys_of(world.store, "user") == ["user*", "user:1", "user:2", "user?x"]
        for prefix in ("user*", "user?", "u[s]", "\\", "user:1"):
            assert await keys_of(world.store, prefix) == [name for name in names if name.startswith(prefix)]
        assert await keys_of(world.store, "x" * 1000) == []
        assert await keys_of(world.store, "\0") == []

    async def test_more_keys_than_one_page_has_are_listed_once_each(self, world: Any) -> None:
        names = sorted(f"key:{number}" for number in range(1234))
        await set_all(world.store, names)
        await world.store.set("other", b"")
        assert await keys_of(world.store, "key:") == names
        assert len(await keys_of(world.other)) == 1235

    async def test_keys_may_be_deleted_while_they_are_listed(self, world: Any) -> None:
        await set_all(world.store, [f"key:{number}" for number in range(700)])
        async for key in world.store.keys("key:"):
            assert await world.store.delete(key)
        assert await keys_of(world.store) == []


class TestLocks:
    async def test_one_holds_a_lock_and_nobody_else_does(self, world: Any) -> None:
        async with world.store.lock("a", ttl=60, wait=0) as first:
            async with world.other.lock("a", ttl=60, wait=0) as second, world.store.lock("b", ttl=60, wait=0) as third:
                assert (first, second, third) == (True, False, True)
            async with world.other.lock("a", ttl=60, wait=0.02) as fourth:
                assert not fourth
        async with world.other.lock("a", ttl=60, wait=0) as fifth:
            assert fifth

    async def test_who_waits_gets_it_when_it_is_free_and_all_take_turns(self, world: Any) -> None:
        inside = 0
        turns = []

        async def enter(store: Storage, number: int) -> None:
            nonlocal inside
            async with store.lock("a", ttl=60, wait=20) as got:
                assert got
                inside += 1
                assert inside == 1
                await asyncio.sleep(0.001)
                turns.append(number)
                inside -= 1

        await asyncio.gather(*[enter((world.store, world.other)[turn % 2], turn) for turn in range(12)])
        assert sorted(turns) == list(range(12))

    async def test_an_error_in_the_block_frees_it(self, world: Any) -> None:
        with pytest.raises(KeyError):
            async with world.store.lock("a", ttl=60, wait=0):
                raise KeyError("mine")
        async with world.other.lock("a", ttl=60, wait=0) as got:
            assert got

    async def test_the_lock_of_a_holder_who_is_late_is_somebody_elses_and_is_not_freed_by_him(self, world: Any) -> None:
        async with world.store.lock("a", ttl=world.second, wait=0) as first:
            await world.wait(1.5 * world.second)
            late = world.other.lock("a", ttl=60, wait=0)
            second = await late.__aenter__()
        async with world.store.lock("a", ttl=60, wait=0) as third:
            assert (first, second, third) == (True, True, False)
        await late.__aexit__(None, None, None)

    async def test_locks_are_no_values(self, world: Any) -> None:
        async with world.store.lock("a", ttl=60, wait=0):
            assert await world.store.get("a") is None
            await world.store.set("a", b"1")
            assert await keys_of(world.store) == ["a"]
            await world.store.delete("a")
            async with world.other.lock("a", ttl=60, wait=0) as second:
                assert not second
