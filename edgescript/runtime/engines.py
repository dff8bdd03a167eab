"""The two engines behind one interface: what serves a listener whose socket is bound."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Iterable
from typing import Literal, Protocol

import anyio
import anyio.abc

from edgescript.graph.model import Graph, Listener
from edgescript.server.bounds import Bounds, bounds_of
from edgescript.server.listen import Listening, unbind

Engine = Literal["fast", "hypercorn"]


#: Seconds that hypercorn is given to end when all its requests have been given up.
_PATIENCE = 1.0


class Serving(Protocol):
    """A listener that is being served."""

    async def start(self) -> None:
        """Begin to accept connections."""

    def replace(self, graph: Graph, listener: Listener) -> None:
        """Answer new requests by another graph's listener for the same address."""

    def in_flight(self) -> Iterable[float]:
        """When the requests began that are in flight, by the server's clock. Tunnels are none."""

    def last_call(self) -> None:
        """Close each connection behind its next answer."""

    def retire(self) -> None:
        """Stop accepting; what is in flight, and tunnels, may take as long as they like."""

    @property
    def has_ended(self) -> bool:
        """Whether no connection, and no tunnel, is left of one that has retired."""

    @property
    def needs_graph(self) -> bool:
        """Whether one that has retired may still answer a request."""

    async def stop(self, grace_period: float) -> None:
        """Stop accepting, let what is in flight finish within the grace period, and cut off the rest."""

    def abort(self) -> None:
        """Cut off whatever is in flight; `stop` returns soon then."""


class FastLane:
    """The fast lane serves it."""

    def __init__(self, listening: Listening) -> None:
        self._listening = listening

    @classmethod
    async def prepare(
        cls, graph: Graph, listener: Listener, bound: socket.socket, path: str | None, clock: Callable[[], float]
    ) -> FastLane:
        listening = Listening(listener, bound, path)
        await listening.prepare(bounds_of(graph), clock=clock)
        return cls(listening)

    async def start(self) -> None:
        await self._listening.start()

    def replace(self, graph: Graph, listener: Listener) -> None:
        self._listening.replace(listener, bounds_of(graph))

    def in_flight(self) -> Iterable[float]:
        return self._listening.lane.in_flight()

    def last_call(self) -> None:
        self._listening.lane.last_call()

    def retire(self) -> None:
        self._listening.retire()

    @property
    def has_ended(self) -> bool:
        lane = self._listening.lane
        return not (lane.connections or lane.tunnels)

    @property
    def needs_graph(self) -> bool:
        return bool(self._listening.lane.connections)

    async def stop(self, grace_period: float) -> None:
        await self._listening.stop(grace_period)

    def abort(self) -> None:
        self._listening.lane.abort()


class Hypercorn:
    """Hypercorn serves it, with the graph as an ASGI application."""

    def __init__(
        self,
        graph: Graph,
        listener: Listener,
        bound: socket.socket,
        path: str | None,
        clock: Callable[[], float],
        tasks: anyio.abc.TaskGroup,
    ) -> None:
        from hypercorn.config import Config

        from edgescript.server.asgi import Application

        config = Config()
        config.include_server_header = False
        config.include_date_header = False
        config.errorlog = logging.getLogger("edgescript.hypercorn")
        config.keep_alive_max_requests = 1_000_000_000
        self._config = config
        self._set_bounds(bounds_of(graph))
        self._socket = bound
        self._path = path
        self._tasks = tasks
        self._app = Application(graph, listener=listener, stamps=True, clock=clock)
        self._stopping = anyio.Event()
        self._started = False
        self._stopped = anyio.Event()
        self._running = anyio.CancelScope()

    def _set_bounds(self, bounds: Bounds) -> None:
        config = self._config
        config.graceful_timeout = bounds.grace_period
        config.keep_alive_timeout = bounds.idle
        config.h11_max_incomplete_size = bounds.max_header_size

    async def start(self) -> None:
        self._config.bind = [
            f"fd://{os.dup(self._socket.fileno())}"
        ]  # hypercorn makes it a socket of its own, and closes it
        self._started = True
        self._tasks.start_soon(self._run)

    async def _run(self) -> None:
        from hypercorn.asyncio import serve

        try:
            with self._running:
                await serve(self._app, self._config, shutdown_trigger=self._stopping.wait)  # type: ignore[arg-type]
        finally:
            self._stopped.set()

    def replace(self, graph: Graph, listener: Listener) -> None:
        self._set_bounds(bounds_of(graph))
        self._app.replace(graph, listener)

    def in_flight(self) -> Iterable[float]:
        return self._app.in_flight()

    def last_call(self) -> None:
        self._config.keep_alive_max_requests = 0

    def retire(self) -> None:
        self._config.graceful_timeout = None  # type: ignore[assignment]  # it waits without a limit then
        self._close()

    @property
    def has_ended(self) -> bool:
        return self._stopped.is_set()

    @property
    def needs_graph(self) -> bool:
        return not self._stopped.is_set()

    def _close(self) -> None:
        if not self._stopping.is_set():
            self._stopping.set()
            unbind(self._socket, self._path)

    async def stop(self, grace_period: float) -> None:
        if not self._stopping.is_set():
            self._config.graceful_timeout = grace_period
        self._close()
        if not self._started:
            return
        with anyio.move_on_after(grace_period):
            await self._stopped.wait()
        self._app.abort()
        with anyio.move_on_after(_PATIENCE):
            await self._stopped.wait()
        self._running.cancel()
        await self._stopped.wait()

    def abort(self) -> None:
        self._app.abort()


async def prepare(
    engine: Engine,
    graph: Graph,
    listener: Listener,
    bound: socket.socket,
    *,
    path: str | None,
    tasks: anyio.abc.TaskGroup,
    clock: Callable[[], float] = time.monotonic,
) -> Serving:
    """
    Make ready to serve a listener on a bound socket, which `stop` and `retire` close.

    :param path: of a unix socket: its file, which is removed with it
    """
    if engine == "fast":
        return await FastLane.prepare(graph, listener, bound, path, clock)
    return Hypercorn(graph, listener, bound, path, clock, tasks)
