"""What tests of several areas share: real servers in this process, and the check that nothing leaks."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import gc
import os
import socket
import tempfile
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

# Servers that tests start keep their history here, and not where one of this machine has its own.
_STATE = tempfile.TemporaryDirectory(prefix="edge-tests-")
os.environ["STATE_DIRECTORY"] = _STATE.name
atexit.register(_STATE.cleanup)

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
        """A plain socket to the first listener, which gives up after 10 seconds."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def exchange(self, data: bytes, *, end: bool = False) -> bytes:
        """Send raw bytes, and with `end` the end of the stream; give all that comes back until the server closes."""
        with self.connect() as client, contextlib.suppress(ConnectionError):
            client.sendall(data)
            if end:
                client.shutdown(socket.SHUT_WR)
            return receive_all(client)
        return b""

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


class Servers:
    """Starts servers and stops them all."""

    def __init__(self) -> None:
        self._running: list[RunningServer] = []

    def start(
        self, graph: Graph, *, engine: Engine = "fast", clock: Callable[[], float] = time.monotonic
    ) -> RunningServer:
        server = RunningServer(graph, engine=engine, clock=clock)
        self._running.append(server)
        server.start()
        return server

    def stop(self) -> None:
        for server in reversed(self._running):
            server.stop()


@pytest.fixture
def servers() -> Iterator[Servers]:
    """`servers.start(graph, engine=…, clock=…)` for graphs that were not made from an Edgefile."""
    made = Servers()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def module_servers() -> Iterator[Servers]:
    """The same, with servers that live as long as the tests of one file."""
    made = Servers()
    yield made
    made.stop()


@pytest.fixture
def serve_edgefile(servers: Servers, tmp_path: Path) -> Callable[..., RunningServer]:
    """
    `serve_edgefile(text, engine="fast", directory=None, environment=None, clock=time.monotonic)` starts a real server.

    It serves the Edgefile in this process, in a thread of its own with a uvloop event loop, and gives a `RunningServer`:
    `.url` and `.port` of the first listener (`.ports` of all), `.connect()` for a plain socket, `.exchange(bytes)`, `.stop()`.
    Every listener gets a free port of its own, whatever port the Edgefile names: write `:80 { … }` or `http://example.com`.
    Relative paths start in `tmp_path`. All servers are stopped at the end of the test.
    """

    def start(
        text: str,
        *,
        engine: Engine = "fast",
        directory: str | None = None,
        environment: dict[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> RunningServer:
        graph = load_graph(text, directory=directory or str(tmp_path), environment=environment, clock=clock)
        return servers.start(graph, engine=engine, clock=clock)

    return start


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


# ---- scripted origins


class Origin:
    """
    A server that behaves as the test says, in threads of its own: `behave(connection, number)` for each connection.

    Its socket is closed when `behave` returns. `heads` are the request heads that `read_head` has read, in order.
    """

    def __init__(self, behave: Callable[[OriginConnection, int], None], listening: socket.socket | None = None) -> None:
        self._behave = behave
        self._listening = listening or socket.create_server(("127.0.0.1", 0))
        #: `127.0.0.1:1234`, unless the test made the socket.
        self.address = "" if listening else f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.heads: list[bytes] = []
        #: How many connections there were.
        self.accepted = 0
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                connection.settimeout(20)
                self.accepted += 1
                self._open.add(connection)
                thread = threading.Thread(target=self._serve, args=(connection, self.accepted), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, contextlib.suppress(OSError, EOFError):
            self._behave(OriginConnection(connection, self), number)
        self._open.discard(connection)

    def join(self) -> None:
        """Wait until every connection that there was is done with."""
        for thread in self._threads[1:]:
            thread.join(20)

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive(), "an origin did not stop"


class OriginConnection:
    """One connection to an origin, from the origin's side."""

    def __init__(self, connection: socket.socket, origin: Origin) -> None:
        self.socket = connection
        self._origin = origin
        self._received = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self, size: int) -> bytes:
        """Exactly so many bytes. :raises EOFError: if the other side closes before"""
        while len(self._received) < size:
            self._more()
        data, self._received = self._received[:size], self._received[size:]
        return data

    def read_until(self, mark: bytes) -> bytes:
        while mark not in self._received:
            self._more()
        return self.read(self._received.index(mark) + len(mark))

    def read_head(self) -> bytes:
        """The next request's head, with the empty line."""
        head = self.read_until(b"\r\n\r\n")
        self._origin.heads.append(head)
        return head

    def read_request(self) -> tuple[bytes, bytes]:
        """The next request: its head and its whole body."""
        head = self.read_head()
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        if b"transfer-encoding" in fields:
            return head, self.read_chunks()[0]
        return head, self.read(int(fields.get(b"content-length", 0)))

    def read_chunks(self) -> tuple[bytes, bytes]:
        """A chunked body, and the lines of its trailers."""
        body = b""
        while size := int(self.read_until(b"\r\n"), 16):
            body += self.read(size)
            self.read_until(b"\r\n")
        trailers = b""
        while (line := self.read_until(b"\r\n")) != b"\r\n":
            trailers += line
        return body, trailers

    def wait_for_end(self) -> bytes:
        """What still comes until the other side closes or resets."""
        with contextlib.suppress(EOFError, ConnectionError):
            while True:
                self._more()
        return self._received

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self._received += data


@pytest.fixture
def origin() -> Iterator[Callable[..., Origin]]:
    """`origin(behave)` starts an `Origin`, `origin(data)` one that answers every request with these bytes."""
    made: list[Origin] = []

    def start(
        behave: Callable[[OriginConnection, int], None] | bytes, listening: socket.socket | None = None
    ) -> Origin:
        if isinstance(behave, bytes):
            data = behave

            def answer(connection: OriginConnection, number: int) -> None:
                while True:
                    connection.read_request()
                    connection.send(data)

            behave = answer
        made.append(Origin(behave, listening))
        return made[-1]

    yield start
    for one in made:
        one.stop()


@pytest.fixture
def reserve_port() -> Iterator[Callable[[], int]]:
    """
    `reserve_port()` gives a port that nobody listens on, for a server that cannot be told to take any.

    It stays bound until the test is over, so that the system gives it to nobody else, not even as the near end of a
    connection; a server that sets SO_REUSEADDR, as all do, can listen there nevertheless.
    """
    bound: list[socket.socket] = []

    def reserve() -> int:
        one = socket.socket()
        bound.append(one)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port

    yield reserve
    for one in bound:
        one.close()


@pytest.fixture
def proxy_to(serve_edgefile: Callable[..., RunningServer]) -> Callable[..., RunningServer]:
    """`proxy_to("127.0.0.1:1234 …", "option value", …)` starts a server with nothing but a `proxy` to these endpoints."""

    def start(endpoints: str, *options: str, **more: Any) -> RunningServer:
        lines = "\n".join(options)
        return serve_edgefile(f":80 {{\nproxy {endpoints} {{\n{lines}\n}}\n}}", **more)

    return start


@pytest.fixture
def golden() -> Callable[[Path, str], None]:
    """
    `golden(file, text)` holds that a file says this text.

    With UPDATE_GOLDEN=1 in the environment the file is written instead; read the difference before it is committed.
    """

    def compare(file: Path, text: str) -> None:
        if os.environ.get("UPDATE_GOLDEN"):
            file.write_text(text, "utf-8", newline="")
        assert file.read_bytes().decode() == text, f"{file.name}: UPDATE_GOLDEN=1 writes it anew"

    return compare


@pytest.fixture
def websocket_echo() -> Iterator[int]:
    """The port of a WebSocket server that sends each message back."""
    from websockets.sync.server import ServerConnection, serve

    def echo(connection: ServerConnection) -> None:
        for message in connection:
            connection.send(message)

    with serve(echo, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.socket.getsockname()[1]
        server.shutdown()
        thread.join()


@pytest.fixture
def through_websocket() -> Callable[[int, str], list[str]]:
    """`through_websocket(port, path)` says what comes back of three messages."""
    from websockets.sync.client import connect

    def exchange(port: int, path: str) -> list[str]:
        with connect(f"ws://127.0.0.1:{port}{path}", open_timeout=20, close_timeout=20) as connection:
            found = []
            for message in ("ahoy", "", "x" * 100_000):
                connection.send(message)
                found.append(str(connection.recv(timeout=20)))
            return found

    return exchange
