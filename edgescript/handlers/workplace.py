"""What the handlers of one generation of modules have in common while graphs come and go: its background jobs and its hooks."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from edgescript.api._hooks import Hooks
from edgescript.api._jobs import Jobs
from edgescript.api._scope import Scope
from edgescript.api._threads import Threads, in_own_thread
from edgescript.handlers.modules import Generation, Target
from edgescript.http.exchange import Exchange
from edgescript.storage.base import Storage

if TYPE_CHECKING:
    import anyio.abc

log = logging.getLogger("edgescript.handlers")


#: Seconds that a start-up hook may take.
_STARTUP = 30.0


class _Open(Protocol):
    @property
    def is_open(self) -> bool: ...


class _Closeable(Protocol):
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Means:
    """What handlers are given to work with."""

    threads: Threads
    storage: Storage | None
    #: Background jobs of one generation that may wait or run.
    background: int
    #: Seconds that they have at the end.
    patience: float


class Workplace:
    """A generation, loaded and started."""

    def __init__(self, generation: Generation, means: Means) -> None:
        self.generation = generation
        self.jobs = Jobs(means.background)
        #: One line at a time has its module loaded and takes what it names.
        self.loading = asyncio.Lock()
        #: For what goes on when a graph is closed; None where nobody has started it.
        self.tasks: anyio.abc.TaskGroup | None = None
        self._lasting = Jobs(0)
        self._connections: set[_Open] = set()
        self._means = means
        #: Hooks of modules whose start-up hooks have not all run, and of those whose have.
        self._waiting: list[Hooks] = []
        self._started: list[Hooks] = []
        #: Applications that have been started, by what names them.
        self.served: dict[Hashable, _Closeable] = {}

    @property
    def modules(self) -> dict[str, bool]:
        """The files that its modules came from, and whether each still holds what it held then."""
        return self.generation.files

    def scope(self, name: str, means: Means, exchange: Exchange | None = None) -> Scope:
        """What a handler works in."""
        loop = asyncio.get_running_loop()
        return Scope(name, jobs=self.jobs, threads=means.threads, storage=means.storage, loop=loop, exchange=exchange)

    async def load(self, target: Target, means: Means) -> Any:
        """
        What a target names, imported in a thread; start-up hooks that came with it have run.

        :raises Exception: whatever the module or a hook raises
        """
        self._means = means
        self.jobs.most = means.background
        found, hooks = await in_own_thread(self.generation.load, target)
        self._waiting.append(hooks)
        while self._waiting:
            for hook in self._waiting[0].start:
                await self._run(hook, "start-up", _STARTUP)
            self._started.append(self._waiting.pop(0))
        return found

    async def _run(self, hook: Callable[[], Any], kind: str, within: float) -> None:
        name = f"the {kind} hook {getattr(hook, '__qualname__', hook)}"

        async def called() -> None:
            if inspect.iscoroutinefunction(hook):
                await hook()
            else:
                await in_own_thread(hook)

        task = self.scope(name, self._means).run(called())
        try:
            await asyncio.wait([task], timeout=within)
        finally:
            if not task.done():
                task.cancel()
        if not task.done():
            raise TimeoutError(f"{name} takes longer than {within:g} s")
        task.result()

    # ---- what outlives graphs

    def last(self, connection: _Open, scope: Scope, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine for a connection that lives on when its graph is gone, and this with it."""
        task = self._lasting.start(coroutine, scope.context())
        self._connections.add(connection)
        task.add_done_callback(lambda _: self._connections.discard(connection))
        return task

    async def close(self) -> None:
        """
        Wait for the background jobs, run the shut-down hooks, and let the modules go.

        As long as there are WebSockets, that waits for their end. When the server stops, they have been closed before.
        """
        if self.tasks is not None and any(connection.is_open for connection in self._connections):
            self.tasks.start_soon(self._close_later)
        else:
            await self._close()

    async def _close_later(self) -> None:
        import anyio

        try:
            await self._lasting.settle()
        finally:
            with anyio.CancelScope(shield=True):
                await self._close()

    async def _close(self) -> None:
        await self._lasting.finish(self._means.patience)
        await self.jobs.finish(self._means.patience)
        for served in reversed(self.served.values()):
            await served.close()
        for hook in [hook for hooks in reversed(self._started) for hook in reversed(hooks.stop)]:
            try:
                await self._run(hook, "shut-down", max(self._means.patience, 1))
            except Exception as error:
                log.error("a shut-down hook failed, in %s", self.generation.folder, exc_info=error)
        await self.jobs.finish(1)
        self._started.clear()
        self.served.clear()
        await self.generation.close()
