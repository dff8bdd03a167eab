"""Time that passes only when nothing else is to do."""

from __future__ import annotations

import asyncio

from edgescript.testing.clock import Clock, VirtualLoop


def run(coroutine: object) -> object:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)  # type: ignore[arg-type]


def test_timers_fire_in_their_order_and_nobody_waits_for_them() -> None:
    async def story() -> list[tuple[str, float]]:
        loop = asyncio.get_running_loop()
        told: list[tuple[str, float]] = []
        began = loop.time()
        loop.call_later(86_400, lambda: told.append(("a day", loop.time() - began)))
        loop.call_later(1, lambda: told.append(("a second", loop.time() - began)))
        await asyncio.sleep(100_000)
        return told

    assert run(story()) == [("a second", 1.0), ("a day", 86_400.0)]


def test_time_stands_still_while_there_is_something_to_do() -> None:
    async def story() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for _ in range(1000):
            await asyncio.sleep(0)
        return loop.time() - began

    assert run(story()) == 0


def test_a_jump_brings_what_is_due_once() -> None:
    async def story() -> list[str]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        told: list[str] = []
        loop.call_later(5, told.append, "five")
        loop.call_later(50, told.append, "fifty")
        await loop.jump(10)
        return told

    assert run(story()) == ["five"]


def test_the_time_of_day_may_be_set_without_any_timer_noticing() -> None:
    async def story() -> tuple[float, float, float]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        clock = Clock(loop)
        clock.set(1000.0)
        first, before = clock.wall(), loop.time()
        await clock.move(30)
        second = clock.wall()
        clock.set(0)
        return first, round(second, 3), round(loop.time() - before, 3)

    assert run(story()) == (1000.0, 1030.0, 30.0)
