"""What the graphs of a process have in common: made once, started once, closed by its last user."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import anyio.abc
import pytest

from edgescript.graph.shared import Shared

pytestmark = pytest.mark.anyio


class Thing:
    def __init__(self) -> None:
        self.told: list[str] = []

    async def start(self, tasks: anyio.abc.TaskGroup) -> None:
        self.told.append("start")

    async def close(self) -> None:
        self.told.append("close")


@pytest.fixture
async def tasks() -> AsyncIterator[Any]:
    async with anyio.create_task_group() as group:
        yield group


async def test_the_same_key_gives_the_same_thing_and_only_the_last_user_closes_it(tasks: Any) -> None:
    shared = Shared()
    one, first = shared.use("key", Thing)
    other, second = shared.use("key", Thing)
    assert one is other
    await first.start(tasks)
    await second.start(tasks)
    await first.close()
    assert one.told == ["start"]
    await second.close()
    assert one.told == ["start", "close"]
    assert len(shared) == 0


async def test_closing_a_use_twice_counts_once() -> None:
    shared = Shared()
    thing, first = shared.use("key", Thing)
    _, second = shared.use("key", Thing)
    await first.close()
    await first.close()
    assert thing.told == []
    await second.close()
    assert thing.told == ["close"]


async def test_a_thing_that_was_closed_is_made_anew() -> None:
    shared = Shared()
    old, use = shared.use("key", Thing)
    await use.close()
    new, _ = shared.use("key", Thing)
    assert new is not old


async def test_what_cannot_be_made_leaves_nothing_behind() -> None:
    shared = Shared()

    def fail() -> Thing:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        shared.use("key", fail)
    assert "key" not in shared


async def test_what_is_kept_by_making_it_lives_and_ends_with_it(tasks: Any) -> None:
    shared = Shared()
    kept: list[Thing] = []

    def make() -> Thing:
        kept.append(Thing())
        return Thing()

    thing, first = shared.use("key", make, kept)
    _, second = shared.use("key", make, [])
    await first.start(tasks)
    await second.start(tasks)
    await first.close()
    assert [one.told for one in kept] == [["start"]]
    await second.close()
    assert (thing.told, [one.told for one in kept]) == (["start", "close"], [["start", "close"]])


async def test_what_a_graph_held_that_came_to_nothing_is_closed_later() -> None:
    shared = Shared()
    thing, use = shared.use("key", Thing)
    shared.leave([use])
    assert thing.told == []
    await shared.close_left()
    assert thing.told == ["close"]
    assert len(shared) == 0
    await shared.close_left()
    assert thing.told == ["close"]
