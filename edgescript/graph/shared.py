"""What the graphs of one process have in common.

A reload makes a second graph beside the first. What both need and describe alike (the connections to an upstream, a log,
the state of a limit) is the same object in both, found by a key that holds everything its making depends on. It is closed
when the last graph that asked for it has been put away.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any, TypeVar

from edgescript.declare.entries import Closeable
from edgescript.metric import Meter

if TYPE_CHECKING:
    import anyio.abc

T = TypeVar("T", bound=Closeable)

#: Resources that are closed before others of the event loop have their turn: 10,000 sites have 20,000, which take 30 ms.
_AT_ONCE = 500


class Shared:
    """Objects by key, with how many graphs use each; and the process's meter."""

    def __init__(self, meter: Meter | None = None) -> None:
        self.meter = meter or Meter()
        self._held: dict[Hashable, _Held] = {}
        # A graph may be compiled in a thread while another one is closed in the event loop. Making takes its time, and only
        # other compilers wait for it; counting is done at once.
        self._making = RLock()
        self._counting = Lock()
        self._left: list[Closeable] = []

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._held

    def use(self, key: Hashable, make: Callable[[], T], kept: Sequence[Closeable] = ()) -> tuple[T, Use]:
        """
        The object of a key, made by the first who asks; and the use of it, which the asking graph closes.

        :param kept: resources of the object, filled by `make`: they are started before it, and closed behind it
        :raises Exception: whatever `make` raises
        """
        with self._making:
            held = self._found(key)
            if held is None:
                held = _Held(make(), kept)
                with self._counting:
                    self._held[key] = held
        made: T = held.thing
        return made, Use(self, key, held)

    def _found(self, key: Hashable) -> _Held | None:
        with self._counting:
            held = self._held.get(key)
            if held is not None:
                held.users += 1
            return held

    def _give_back(self, key: Hashable, held: _Held) -> bool:
        """One user less; whether that was the last."""
        with self._counting:
            held.users -= 1
            if held.users:
                return False
            # By now another object may have the key.
            if self._held.get(key) is held:
                del self._held[key]
            return True

    def leave(self, resources: Sequence[Closeable]) -> None:
        """Resources of a graph that came to nothing. Closing must be awaited, and compiling does not wait: see `close_left`."""
        self._left += resources

    async def close_left(self) -> None:
        """
        Close what was left.

        :raises ExceptionGroup: if some cannot be closed; all others are closed nevertheless
        """
        left, self._left = self._left, []
        await close_all(left)


class _Held:
    __slots__ = ("kept", "started", "thing", "users")

    def __init__(self, thing: Any, kept: Sequence[Closeable]) -> None:
        self.thing = thing
        self.kept = kept
        self.users = 1
        self.started = False


class Use:
    """One graph's use of a shared object: a resource like any other."""

    __slots__ = ("_held", "_key", "_shared")

    def __init__(self, shared: Shared, key: Hashable, held: _Held) -> None:
        self._shared = shared
        self._key = key
        self._held: _Held | None = held

    @property
    def thing(self) -> Any:
        """The object; None where it is used no more."""
        return None if self._held is None else self._held.thing

    async def start(self, tasks: anyio.abc.TaskGroup) -> None:
        held = self._held
        if held is not None and not held.started:
            held.started = True
            for resource in held.kept:
                await start(resource, tasks)
            await start(held.thing, tasks)

    async def close(self) -> None:
        held, self._held = self._held, None
        if held is not None and self._shared._give_back(self._key, held):
            await close_all([*held.kept, held.thing])


async def start(resource: Any, tasks: anyio.abc.TaskGroup) -> None:
    """Start a resource, if it is one that is to be started."""
    begin = getattr(resource, "start", None)
    if begin is not None:
        await begin(tasks)


async def _let_others_go_on() -> None:
    import anyio.lowlevel  # where so much is closed, there is a server

    await anyio.lowlevel.checkpoint()


async def close_all(resources: Sequence[Closeable]) -> None:
    """
    Close resources, the last first.

    :raises ExceptionGroup: if some cannot be closed; all others are closed nevertheless
    """
    failures: list[Exception] = []
    for number, resource in enumerate(reversed(resources), 1):
        if number % _AT_ONCE == 0:
            await _let_others_go_on()
        try:
            await resource.close()
        except Exception as failure:
            failures.append(failure)
    if failures:
        raise ExceptionGroup("not everything could be closed", failures)
