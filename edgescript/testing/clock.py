"""Time in tests: it passes only while nothing else is to do, and then all at once.

While a thread works for the loop (a plain function in the request path) it passes as it does outside.

The loop jumps to its next timer when it would have to wait for it. So a test of a timeout of a minute takes no time, and
how quick the machine is makes no difference to what comes out.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable
from typing import Any


class _Jumping(selectors.DefaultSelector):
    """Gives what is ready; where nothing is, the wait is over at once and has been counted."""

    waited = 0.0
    #: Calls that run in threads.
    outside = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        if self.outside:
            began = time.monotonic()
            ready = super().select(timeout)
            self.waited += time.monotonic() - began
            return ready
        ready = super().select(0)
        if not ready:
            self.waited += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that never waits for a timer."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds since the loop was made, as its timers count them."""
        return self._jumping.waited

    def run_in_executor(  # type: ignore[override]  # as precise as is needed
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        self._jumping.outside += 1
        given = super().run_in_executor(executor, func, *args)
        given.add_done_callback(self._came_back)
        return given

    def _came_back(self, given: asyncio.Future[Any]) -> None:
        self._jumping.outside -= 1

    async def jump(self, seconds: float) -> None:
        """Let time pass. What is due meanwhile happens at its end, once."""
        self._jumping.waited += seconds
        await asyncio.sleep(1e-6)  # nothing is left to do when this timer's turn comes


class Clock:
    """The time of day in a test: the machine's when the test began, or what it was set to, and on from there."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.set(time.time())

    def wall(self) -> float:
        """Seconds since 1970."""
        return self._beginning + self._loop.time()

    def set(self, wall: float) -> None:
        """Have it be `wall`, seconds since 1970. Timers do not notice."""
        self._beginning = wall - self._loop.time()

    async def move(self, seconds: float) -> None:
        """Let time pass, for timers too."""
        await self._loop.jump(seconds)
