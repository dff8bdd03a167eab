"""The one file that knows everything: a graph, its sockets, an engine, the signals, and in which order they begin and end."""

from __future__ import annotations

import importlib.util
import logging
import signal
import socket
import sys
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.abc
import anyio.lowlevel

from edgescript.graph.model import Graph, Listener
from edgescript.http.splice import PIPES
from edgescript.runtime.engines import Engine, Serving, prepare
from edgescript.server.bounds import bounds_of
from edgescript.server.listen import Address, ListenError, address_of, bind, unbind

log = logging.getLogger("edgescript.runtime")

#: What two listeners that are the same address have in common: host and port, or the path of a unix socket and None.
Key = tuple[str, int | None]

#: Seconds between two looks at whether an old graph is still in use.
_LOOK = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class _Open:
    """One listener that is open."""

    serving: Serving
    address: Address


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A graph that has been started, with the listeners that it adds: all that is left to do cannot fail."""

    graph: Graph
    #: The graph that it was prepared to follow.
    follows: Graph | None
    added: Mapping[Key, _Open]


@dataclass(frozen=True, slots=True, eq=False)
class _Retired:
    """A graph that gets no new requests, and when it got the first and the last."""

    graph: Graph
    since: float
    until: float
    #: Listeners that were removed with it: whatever still comes there is answered by it.
    removed: Sequence[Serving]

    def is_in_use(self, began: Sequence[float]) -> bool:
        """
        Whether a request of it is in flight.

        :param began: when the requests began that are in flight, sorted
        """
        first = bisect_left(began, self.since)
        return (first < len(began) and began[first] <= self.until) or any(one.needs_graph for one in self.removed)


class Server:
    """
    What serves one graph after the other: made by `serving`.

    The next graph comes in two steps. `prepare` does all that can fail, and nothing that anybody notices; then either
    `commit`, which switches, or `abandon`. Requests that began before the switch end with the graph that they began with,
    however long they take, and that graph is closed behind the last of them. Tunnels belong to no graph.
    """

    def __init__(
        self, tasks: anyio.abc.TaskGroup, *, engine: Engine, port: int | None, clock: Callable[[], float], owned: bool
    ) -> None:
        self._tasks = tasks
        self._engine = engine
        self._port = port
        self._clock = clock
        #: Whether the sockets are ours.
        self._owned = owned
        self._graph: Graph | None = None
        self._open: dict[Key, _Open] = {}
        #: Removed listeners with something in flight.
        self._removed: list[Serving] = []
        self._retired: list[_Retired] = []
        #: When the present graph got its first request.
        self._since = clock()
        self._replacing = anyio.Lock()
        self._putting_away = False

    @property
    def graph(self) -> Graph:
        """The graph that answers new requests."""
        assert self._graph is not None, "the first is committed before anybody gets to see the server"
        return self._graph

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where it listens, in the order of the graph's listeners."""
        return tuple(self._open[_key(listener)].address for listener in self.graph.listeners)

    @property
    def retired(self) -> int:
        """How many old graphs still have requests in flight."""
        return len(self._retired)

    # ---- from one graph to the next

    async def replace(self, graph: Graph, sockets: Mapping[Key, socket.socket] | None = None) -> None:
        """
        `prepare` and `commit`.

        :raises ListenError: if a new address cannot be had
        :raises Exception: whatever keeps the graph from starting
        """
        async with self._replacing:
            await self.commit(await self.prepare(graph, sockets))

    async def prepare(self, graph: Graph, sockets: Mapping[Key, socket.socket] | None = None) -> Prepared:
        """
        Bind what a graph listens on and is not open yet, and start it. Where that fails, the graph is closed, and everything
        is as it was.

        :param sockets: for those listeners, where the sockets are not ours; this process's descriptors are closed by us, where
            it fails as well
        :raises ListenError: if a new address cannot be had
        :raises Exception: whatever keeps the graph from starting
        """
        added: dict[Key, _Open] = {}
        try:
            for listener in graph.listeners:
                if _key(listener) not in self._open:
                    added[_key(listener)] = await self._opened(graph, listener, sockets)
            await graph.start(self._tasks)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._close(graph, added)
            for key, given in (sockets or {}).items():
                if key not in self._open:
                    given.close()
            raise
        return Prepared(graph, self._graph, added)

    async def _opened(self, graph: Graph, listener: Listener, sockets: Mapping[Key, socket.socket] | None) -> _Open:
        if self._owned:
            bound = bind(listener, port=self._port)
        elif sockets is not None and _key(listener) in sockets:
            bound = sockets[_key(listener)]
        else:
            raise ListenError(f"there is no socket for {Address(listener.host, listener.port)}")
        path = listener.host if listener.port is None and self._owned else None
        try:
            made = await prepare(self._engine, graph, listener, bound, path=path, tasks=self._tasks, clock=self._clock)
        except BaseException:
            unbind(bound, path)
            raise
        return _Open(made, address_of(listener, bound))

    async def abandon(self, prepared: Prepared) -> None:
        """Close what was prepared; everything stays as it is."""
        await self._close(prepared.graph, prepared.added)

    async def _close(self, graph: Graph, added: Mapping[Key, _Open]) -> None:
        for one in added.values():
            await one.serving.stop(0)
        await _put_away(graph)

    async def commit(self, prepared: Prepared) -> None:
        """
        Answer new requests by a graph that was prepared: all listeners switch at once. New ones are opened, those that it does
        not have are closed, and the old graph is put away when nothing of it is in flight.

        :raises RuntimeError: if another graph came since it was prepared; it is as good as abandoned then
        """
        if prepared.follows is not self._graph:
            await self.abandon(prepared)
            raise RuntimeError("another configuration was taken over meanwhile")
        self._switch(prepared)
        for one in prepared.added.values():
            await one.serving.start()

    def _switch(self, prepared: Prepared) -> None:
        old, since, graph = self._graph, self._since, prepared.graph
        for listener in graph.listeners:
            if _key(listener) in self._open:
                self._open[_key(listener)].serving.replace(graph, listener)
        wanted = {_key(listener) for listener in graph.listeners}
        removed = [self._open.pop(key).serving for key in tuple(self._open) if key not in wanted]
        for one in removed:
            one.retire()
        self._removed += removed
        self._open |= prepared.added
        self._graph = graph
        self._since = self._clock()
        if old is not None:
            self._retired.append(_Retired(old, since, self._since, removed))
            if not self._putting_away:
                self._putting_away = True
                self._tasks.start_soon(self._put_away_retired)

    # ---- old graphs

    async def _put_away_retired(self) -> None:
        """Close old graphs, each when none of its requests is in flight, and forget removed listeners that have ended."""
        while self._retired or self._removed:
            unused = self._unused()
            with anyio.CancelScope(shield=True):
                while unused:
                    graph = unused.pop().graph
                    await _put_away(graph)
                    sites = list(graph.sites)
                    del graph
                    await _free(sites)
            self._removed = [serving for serving in self._removed if not serving.has_ended]
            await anyio.sleep(_LOOK)
        self._putting_away = False

    def _unused(self) -> list[_Retired]:
        """Retired graphs without a request in flight, taken out of those that are watched."""
        if not self._retired:
            return []
        began = sorted(self._in_flight())
        unused = [one for one in self._retired if not one.is_in_use(began)]
        self._retired = [one for one in self._retired if one not in unused]
        return unused

    def _in_flight(self) -> Iterator[float]:
        for one in self._servings():
            yield from one.in_flight()

    def _servings(self) -> list[Serving]:
        return [*(one.serving for one in self._open.values()), *self._removed]

    # ---- the end

    async def last_call(self, patience: float) -> None:
        """
        Go on answering, but close each connection behind its next answer, until there are none or `patience` seconds are
        over. Before a stop, this spares the clients that are just sending a request.
        """
        for one in self._servings():
            one.last_call()
        with anyio.move_on_after(patience):
            while not all(one.has_ended for one in self._servings()):  # noqa: ASYNC110
                await anyio.sleep(0.01)

    async def stop(self) -> None:
        """Stop accepting, and let what is in flight finish within the grace period."""
        grace_period = bounds_of(self.graph).grace_period
        async with anyio.create_task_group() as stopping:
            for one in self._servings():
                stopping.start_soon(one.stop, grace_period)
        self._open.clear()
        self._removed.clear()

    def abort(self) -> None:
        """Cut off whatever is in flight."""
        for one in self._servings():
            one.abort()

    async def close(self) -> None:
        """Close every graph, when nothing is in flight any more."""
        retired, self._retired = self._retired, []
        for one in retired:
            await _put_away(one.graph)
        await _put_away(self.graph)


async def _put_away(graph: Graph) -> None:
    """Close a graph that nobody uses any more; what cannot be closed keeps nobody from going on."""
    try:
        await graph.close()
    except ExceptionGroup:
        log.exception("a configuration that is no longer used could not be closed in all its parts")


async def _free(things: list[Any]) -> None:
    """Forget the last of what was known of large things, a few at a time: it takes 75 ms for 10,000 sites."""
    while things:
        del things[-100:]
        await anyio.lowlevel.checkpoint()


def _key(listener: Listener) -> Key:
    return listener.host, listener.port


@asynccontextmanager
async def serving(
    graph: Graph,
    *,
    engine: Engine = "fast",
    port: int | None = None,
    sockets: Mapping[Key, socket.socket] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Server]:
    """
    Serve a graph for as long as the block runs, and stop gracefully at its end. The graph is closed in any case.

    :param port: listen on this port instead of those that the listeners name; 0 for any free one (tests)
    :param sockets: what to listen on, by host and port, or path and None. They belong to somebody else then, who makes those
        of later graphs as well, and removes the files of unix sockets; this process's descriptors are closed at the end
    :raises ListenError: if an address cannot be had
    :raises Exception: whatever keeps the graph from starting
    """
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        server = Server(tasks, engine=engine, port=port, clock=clock, owned=sockets is None)
        try:
            await server.replace(graph, sockets)
        except Exception as error:  # raised outside of the task group, which would wrap it
            failure = error
        else:
            try:
                yield server
            finally:
                with anyio.CancelScope(shield=True):
                    await server.stop()
                    await server.close()
                    PIPES.close()
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


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
