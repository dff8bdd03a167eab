"""What tests of several areas share: real servers in this process, and the check that nothing leaks."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from edgescript.catalog import Catalogue
from edgescript.graph.load import load
from edgescript.graph.model import Graph
from edgescript.http.splice import PIPES
from edgescript.runtime.compose import Server, serving
from edgescript.runtime.engines import Engine, FastLane
from edgescript.server.lane import Lane
from edgescript.text.source import Source

_CATALOGUE = Catalogue.load()

# The first event loop of a process opens a pipe for signals that stays; it is not to look like a leak.
anyio.run(anyio.sleep, 0, backend_options={"use_uvloop": True})


def load_graph(
    text: str,
    *,
    directory: str = ".",
    environment: dict[str, str] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Graph:
    """The graph of an Edgefile; fails the test with its problems where it has errors."""
    graph, problems = load(
        Source("Edgefile", text),
        catalogue=_CATALOGUE,
        environment=environment or {},
        directory=directory,
        clock=clock,
    )
    assert graph is not None, "\n".join(f"{problem.span}: {problem.message}" for problem in problems)
    return graph


class RunningServer:
    """
    A server in a thread of its own.

    `ports` are those it really listens on, in the order of the Edgefile's listeners.
    """

    def __init__(self, graph: Graph, *, engine: Engine, clock: Callable[[], float]) -> None:
        self.graph = graph
        self.engine = engine
        self.ports: list[int] = []
        self.loop: asyncio.AbstractEventLoop | None = None
        self._clock = clock
        self._server: Server | None = None
        self._error: BaseException | None = None
        self._ready = threading.Event()
        self._stop: anyio.Event | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._ready.wait(30)
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            anyio.run(self._serve, backend_options={"use_uvloop": True})
        except BaseException as error:
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._stop = anyio.Event()
        async with serving(self.graph, engine=self.engine, port=0, clock=self._clock) as server:
            self._server = server
            self.ports = [address.port for address in server.addresses if address.port is not None]
            self._ready.set()
            await self._stop.wait()

    @property
    def port(self) -> int:
        return self.ports[0]

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT` of the first listener."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def server(self) -> Server:
        assert self._server is not None
        return self._server

    @property
    def lane(self) -> Lane:
        """The fast lane of the first listener: its `sweep` and `connections`."""
        serving = next(iter(self.server._open.values())).serving
        assert isinstance(serving, FastLane)
        return serving._listening.lane

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function, or await a coroutine function, in the server's event loop."""
        assert self.loop is not None

        async def called() -> Any:
            result = function(*arguments)
            return await result if asyncio.iscoroutine(result) else result

        return asyncio.run_coroutine_threadsafe(called(), self.loop).result(30)

    def connect(self) -> socket.socket:
        """A plain socket to the first listener, which gives up after 20 seconds."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def exchange(self, data: bytes) -> bytes:
        """Send raw bytes, close the writing side, and give all that comes back until the server closes."""
        with self.connect() as client:
            client.sendall(data)
            return receive_all(client)

    def stop(self) -> None:
        """Stop gracefully; returns when the server is gone."""
        if self.loop is not None and self._stop is not None and self._thread.is_alive():
            with contextlib.suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        assert not self._thread.is_alive(), "the server did not stop"
        if self._error is not None:
            raise self._error


def receive_all(client: socket.socket) -> bytes:
    """All that comes until the other side closes; a reset ends it as well."""
    pieces = []
    with contextlib.suppress(ConnectionError):
        while piece := client.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


@pytest.fixture
def serve_edgefile(tmp_path: Path) -> Iterator[Callable[..., RunningServer]]:
    """
    `serve_edgefile(text, engine="fast", directory=None, environment=None, clock=time.monotonic)` starts a real server.

    It serves the Edgefile in this process, in a thread of its own with a uvloop event loop, and gives a `RunningServer`:
    `.url` and `.port` of the first listener (`.ports` of all), `.connect()` for a plain socket, `.exchange(bytes)`, `.stop()`.
    Every listener gets a free port of its own, whatever port the Edgefile names: write `:80 { … }` or `http://example.com`.
    Relative paths start in `tmp_path`. All servers are stopped at the end of the test.
    """
    running: list[RunningServer] = []

    def start(
        text: str,
        *,
        engine: Engine = "fast",
        directory: str | None = None,
        environment: dict[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> RunningServer:
        graph = load_graph(text, directory=directory or str(tmp_path), environment=environment, clock=clock)
        server = RunningServer(graph, engine=engine, clock=clock)
        running.append(server)
        server.start()
        return server

    yield start
    for server in reversed(running):
        server.stop()


def open_descriptors() -> dict[str, str]:
    """What is open in this process: descriptor to what it is."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found[name] = os.readlink(f"/proc/self/fd/{name}")
    return found


@pytest.fixture
def no_leaks() -> Iterator[None]:
    """
    Fails the test if descriptors (sockets, pipes, files) are open at its end that were not at its beginning.

    Ask for it before `serve_edgefile`, so that the servers have stopped when it looks.
    """
    PIPES.close()
    gc.collect()
    before = open_descriptors()
    yield
    PIPES.close()
    gc.collect()
    after = open_descriptors()
    left = {number: name for number, name in after.items() if before.get(number) != name}
    assert not left, f"still open: {left}"
    threads = [thread.name for thread in threading.enumerate() if thread is not threading.current_thread()]
    assert not [name for name in threads if "edge" in name.lower()], threads
