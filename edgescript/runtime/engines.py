"""The two engines behind one interface: what serves a listener whose socket is bound."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from typing import Literal, Protocol

import anyio
import anyio.abc

from edgescript.graph.model import Graph, Listener
from edgescript.server.bounds import bounds_of
from edgescript.server.listen import Listening, unbind

Engine = Literal["fast", "hypercorn"]


class Serving(Protocol):
    """A listener that is being served."""

    def replace(self, graph: Graph, listener: Listener) -> None:
        """Answer new requests by another graph's listener for the same address."""

    async def stop(self, grace_period: float) -> None:
        """Stop accepting, let what is in flight finish within the grace period, and cut off the rest."""

    def abort(self) -> None:
        """Cut off whatever is in flight; `stop` returns soon then."""


class FastLane:
    """The fast lane serves it."""

    def __init__(self, listening: Listening) -> None:
        self._listening = listening

    @classmethod
    async def start(
        cls, graph: Graph, listener: Listener, bound: socket.socket, clock: Callable[[], float]
    ) -> FastLane:
        listening = Listening(listener, bound)
        await listening.serve(bounds_of(graph), clock=clock)
        return cls(listening)

    def replace(self, graph: Graph, listener: Listener) -> None:
        self._listening.replace(listener, bounds_of(graph))

    async def stop(self, grace_period: float) -> None:
        await self._listening.stop(grace_period)

    def abort(self) -> None:
        self._listening.lane.abort()


class Hypercorn:
    """Hypercorn serves it, with the graph as an ASGI application."""

    def __init__(self, graph: Graph, listener: Listener, bound: socket.socket, clock: Callable[[], float]) -> None:
        from hypercorn.config import Config

        from edgescript.server.asgi import Application

        bounds = bounds_of(graph)
        config = Config()
        config.bind = [f"fd://{os.dup(bound.fileno())}"]  # hypercorn makes it a socket of its own, and closes it
        config.include_server_header = False
        config.include_date_header = False
        config.errorlog = logging.getLogger("edgescript.hypercorn")
        config.graceful_timeout = bounds.grace_period
        config.shutdown_timeout = bounds.grace_period
        config.keep_alive_timeout = bounds.idle
        config.h11_max_incomplete_size = bounds.max_header_size
        config.keep_alive_max_requests = 1_000_000_000
        self._config = config
        self._socket = bound
        self._path = listener.host if listener.port is None else None
        self._app = Application(graph, listener=listener, stamps=True, clock=clock)
        self._stopping = anyio.Event()
        self._stopped = anyio.Event()

    @classmethod
    async def start(
        cls,
        graph: Graph,
        listener: Listener,
        bound: socket.socket,
        clock: Callable[[], float],
        tasks: anyio.abc.TaskGroup,
    ) -> Hypercorn:
        made = cls(graph, listener, bound, clock)
        tasks.start_soon(made._run)
        return made

    async def _run(self) -> None:
        from hypercorn.asyncio import serve

        try:
            await serve(self._app, self._config, shutdown_trigger=self._stopping.wait)  # type: ignore[arg-type]
        finally:
            self._stopped.set()

    def replace(self, graph: Graph, listener: Listener) -> None:
        self._app.replace(graph, listener)

    async def stop(self, grace_period: float) -> None:
        self._config.graceful_timeout = grace_period
        self._stopping.set()
        unbind(self._socket, self._path)
        with anyio.move_on_after(grace_period):
            await self._stopped.wait()
        self._app.abort()
        await self._stopped.wait()

    def abort(self) -> None:
        self._app.abort()


async def start(
    engine: Engine,
    graph: Graph,
    listener: Listener,
    bound: socket.socket,
    *,
    tasks: anyio.abc.TaskGroup,
    clock: Callable[[], float] = time.monotonic,
) -> Serving:
    """Begin to serve a listener on a bound socket."""
    if engine == "fast":
        return await FastLane.start(graph, listener, bound, clock)
    return await Hypercorn.start(graph, listener, bound, clock, tasks)
