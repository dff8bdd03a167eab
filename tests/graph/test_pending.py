"""A value that a coroutine waits for, where a task does so."""

from __future__ import annotations

import asyncio

from edgescript.http.pending import Pending, in_task


def test_the_end_of_the_loop_gives_up_those_who_still_wait() -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await Pending[None]()
        except asyncio.CancelledError:
            ended.append("pending")
            raise

    async def wait_for_a_task() -> None:
        try:
            await in_task(asyncio.sleep(1000))
        except asyncio.CancelledError:
            ended.append("task")
            raise

    async def main() -> list[asyncio.Task[None]]:
        waiting = [asyncio.create_task(wait()), asyncio.create_task(wait_for_a_task())]
        await asyncio.sleep(0.01)
        return waiting

    # `asyncio.run` cancels what is left over when the loop no longer runs.
    waiting = asyncio.run(main())
    assert sorted(ended) == ["pending", "task"]
    assert all(task.cancelled() for task in waiting)
