"""The one file that knows everything: a graph, its sockets, an engine, the signals, and in which order they begin and end."""

from __future__ import annotations

import importlib.util
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.abc

from edgescript.graph.model import Graph, Listener
from edgescript.http.splice import PIPES
from edgescript.runtime.engines import Engine, Serving, start
from edgescript.server.bounds import bounds_of
from edgescript.server.listen import Address, ListenError, address_of, bind, unbind

#: What two listeners that are the same address have in common.
_Key = tuple[str, int | None]


class _Open:
    """One listener that is open."""

    def __init__(self, bound: socket.socket, serving: Serving, address: Address) -> None:
        self.bound = bound
        self.serving = serving
        self.address = address


class Server:
    """
    A graph that is being served. Made by `serving`; `addresses` says where.

    :param port: listen on this port instead of those that the listeners name; 0 for any free one (tests)
    :raises ListenError: if an address cannot be had; nothing is open then
    """

    _tasks: anyio.abc.TaskGroup

    def __init__(
        self,
        graph: Graph,
        *,
        engine: Engine,
        port: int | None,
        clock: Callable[[], float],
    ) -> None:
        self.graph = graph
        self._engine = engine
        self._port = port
        self._clock = clock
        self._open: dict[_Key, _Open] = {}
        self._bound = self._bind_new(graph)

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where it listens, in the order of the graph's listeners."""
        return tuple(self._open[_key(listener)].address for listener in self.graph.listeners)

    async def start(self, tasks: anyio.abc.TaskGroup) -> None:
        """Begin to accept connections; `tasks` holds what runs in the background."""
        self._tasks = tasks
        await self.graph.start(tasks)
        await self._take_on(self.graph, self._bound)

    async def replace(self, graph: Graph) -> None:
        """
        Answer new requests by another graph; what is in flight ends with the old one.

        Listeners that both have stay open, new ones are opened, and the others closed gracefully.

        :raises ListenError: if a new address cannot be had; everything stays as it was then
        """
        old = self.graph
        bound = self._bind_new(graph)
        await graph.start(self._tasks)
        await self._take_on(graph, bound)
        wanted = {_key(listener) for listener in graph.listeners}
        gone = [self._open.pop(key) for key in tuple(self._open) if key not in wanted]
        self.graph = graph
        self._tasks.start_soon(self._retire, old, gone)

    async def _take_on(self, graph: Graph, bound: dict[_Key, socket.socket]) -> None:
        for listener in graph.listeners:
            key = _key(listener)
            if key in bound:
                made = bound[key]
                serving = await start(self._engine, graph, listener, made, tasks=self._tasks, clock=self._clock)
                self._open[key] = _Open(made, serving, address_of(listener, made))
            else:
                self._open[key].serving.replace(graph, listener)

    def _bind_new(self, graph: Graph) -> dict[_Key, socket.socket]:
        """Sockets for the listeners that are not open yet: all of them, or none."""
        bound: dict[_Key, socket.socket] = {}
        try:
            for listener in graph.listeners:
                if _key(listener) not in self._open:
                    bound[_key(listener)] = bind(listener, port=self._port)
        except ListenError:
            for (host, port), made in bound.items():
                unbind(made, host if port is None else None)
            raise
        return bound

    async def _retire(self, graph: Graph, gone: list[_Open]) -> None:
        """Put an old graph away, once no request can be using it any more."""
        grace_period = bounds_of(graph).grace_period
        for one in gone:
            self._tasks.start_soon(one.serving.stop, grace_period)
        try:
            await anyio.sleep(grace_period)
        finally:
            with anyio.CancelScope(shield=True):
                await graph.close()

    async def stop(self) -> None:
        """Stop accepting, and let what is in flight finish within the grace period."""
        grace_period = bounds_of(self.graph).grace_period
        async with anyio.create_task_group() as stopping:
            for one in self._open.values():
                stopping.start_soon(one.serving.stop, grace_period)
        self._open.clear()

    def abort(self) -> None:
        """Cut off whatever is in flight."""
        for one in self._open.values():
            one.serving.abort()


def _key(listener: Listener) -> _Key:
    return listener.host, listener.port


@asynccontextmanager
async def serving(
    graph: Graph,
    *,
    engine: Engine = "fast",
    port: int | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Server]:
    """
    Serve a graph for as long as the block runs, and stop gracefully at its end.

    :raises ListenError: if an address cannot be had
    """
    server = Server(graph, engine=engine, port=port, clock=clock)
    async with anyio.create_task_group() as tasks:
        try:
            await server.start(tasks)
            yield server
        finally:
            with anyio.CancelScope(shield=True):
                await server.stop()
                await server.graph.close()
                PIPES.close()
            tasks.cancel_scope.cancel()


def run(
    graph: Graph,
    *,
    engine: Engine = "fast",
    on_ready: Callable[[tuple[Address, ...]], object] | None = None,
    beside: Callable[[Server], Coroutine[Any, Any, None]] | None = None,
) -> None:
    """
    Serve a graph until SIGTERM or SIGINT: the first stops gracefully, the second at once.

    :param on_ready: called with the addresses when connections are accepted
    :param beside: runs next to the server until it stops; may call `Server.replace`
    :raises ListenError: if an address cannot be had
    """
    options = {"use_uvloop": importlib.util.find_spec("uvloop") is not None}
    anyio.run(_run, graph, engine, on_ready, beside, backend_options=options)


async def _run(
    graph: Graph,
    engine: Engine,
    on_ready: Callable[[tuple[Address, ...]], object] | None,
    beside: Callable[[Server], Coroutine[Any, Any, None]] | None,
) -> None:
    with anyio.open_signal_receiver(*_SIGNALS) as signals:
        async with serving(graph, engine=engine) as server, anyio.create_task_group() as tasks:
            if beside is not None:
                tasks.start_soon(beside, server)
            if on_ready is not None:
                on_ready(server.addresses)
            await anext(signals)
            tasks.start_soon(_abort_at_signal, server, signals)
            await server.stop()
            tasks.cancel_scope.cancel()


async def _abort_at_signal(server: Server, signals: AsyncIterator[signal.Signals]) -> None:
    await anext(signals)
    server.abort()


_SIGNALS = (signal.SIGINT,) if sys.platform == "win32" else (signal.SIGINT, signal.SIGTERM)
