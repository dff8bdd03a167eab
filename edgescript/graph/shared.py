"""What the graphs of one process have in common.

A reload makes a second graph beside the first. What both need and describe alike (the connections to an upstream, a log,
the state of a limit) is the same object in both, found by a key that holds everything its making depends on. It is closed
when the last graph that asked for it has been put away.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeVar

from edgescript.declare.entries import Closeable
from edgescript.metric import Meter

if TYPE_CHECKING:
    import anyio.abc

T = TypeVar("T", bound=Closeable)


class Shared:
    """Objects by key, with how many graphs use each; and the process's meter."""

    def __init__(self, meter: Meter | None = None) -> None:
        self.meter = meter or Meter()
        self._held: dict[Hashable, _Held] = {}

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._held

    def use(self, key: Hashable, make: Callable[[], T]) -> tuple[T, Use]:
        """
        The object of a key, made by the first who asks; and the use of it, which the asking graph closes.

        :raises Exception: whatever `make` raises
        """
        held = self._held.get(key)
        if held is None:
            held = self._held[key] = _Held(make())
        held.users += 1
        made: T = held.thing
        return made, Use(self, key, held)

    def _forget(self, key: Hashable, held: _Held) -> None:
        # By now another object may have the key.
        if self._held.get(key) is held:
            del self._held[key]


class _Held:
    __slots__ = ("started", "thing", "users")

    def __init__(self, thing: Any) -> None:
        self.thing = thing
        self.users = 0
        self.started = False


class Use:
    """One graph's use of a shared object: a resource like any other."""

    __slots__ = ("_held", "_key", "_shared")

    def __init__(self, shared: Shared, key: Hashable, held: _Held) -> None:
        self._shared = shared
        self._key = key
        self._held: _Held | None = held

    async def start(self, tasks: anyio.abc.TaskGroup) -> None:
        held = self._held
        if held is not None and not held.started:
            held.started = True
            await start(held.thing, tasks)

    async def close(self) -> None:
        held, self._held = self._held, None
        if held is None:
            return
        held.users -= 1
        if held.users == 0:
            self._shared._forget(self._key, held)
            await held.thing.close()


async def start(resource: Any, tasks: anyio.abc.TaskGroup) -> None:
    """Start a resource, if it is one that is to be started."""
    begin = getattr(resource, "start", None)
    if begin is not None:
        await begin(tasks)
