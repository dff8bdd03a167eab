"""One coarse timer for each event loop, instead of a timer for each request.

Whoever has deadlines keeps them as numbers and has itself watched; a few times a second it is asked to look at them. So
a deadline costs a request one assignment. Deadlines are never early, and at most two ticks late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import asyncio

#: Seconds.
TICK = 0.25
#: A deadline that never comes.
NEVER = float("inf")


class Sweepable(Protocol):
    def expire(self, now: float) -> None:
        """Act on the deadlines that have passed."""


class Sweep:
    """The timer of one loop; it runs only while something is watched."""

    __slots__ = ("_handle", "_loop", "_watched", "now")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._watched: set[Sweepable] = set()
        self._handle: asyncio.TimerHandle | None = None
        #: The loop's time at the last tick.
        self.now = loop.time()

    def watch(self, thing: Sweepable) -> None:
        self._watched.add(thing)
        if self._handle is None:
            self.now = self._loop.time()
            self._handle = self._loop.call_later(TICK, self._tick)

    def forget(self, thing: Sweepable) -> None:
        self._watched.discard(thing)
        if not self._watched and self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def after(self, seconds: float) -> float:
        """The deadline that many seconds from now."""
        return self.now + seconds + TICK

    def _tick(self) -> None:
        self.now = self._loop.time()
        self._handle = self._loop.call_later(TICK, self._tick)
        for thing in tuple(self._watched):
            thing.expire(self.now)


_sweeps: WeakKeyDictionary[asyncio.AbstractEventLoop, Sweep] = WeakKeyDictionary()


def running_sweep() -> Sweep:
    """The sweep of the running loop."""
    import asyncio  # only where there is a loop; see `pool`

    loop = asyncio.get_running_loop()
    sweep = _sweeps.get(loop)
    if sweep is None:
        sweep = _sweeps[loop] = Sweep(loop)
    return sweep
