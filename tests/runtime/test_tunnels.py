"""WebSockets and other tunnels belong to no graph: they live on through any number of reloads."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

UPGRADE = b"GET /%d HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
SOCKETS = 300


class Echo:
    """A server of echoing tunnels, in an event loop of its own."""

    def __init__(self) -> None:
        self.port = 0
        #: Connections that are open.
        self.open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._thread.start()
        assert self._ready.wait(20)

    async def _run(self) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for writer in tuple(self.open):
            writer.close()
        await self._all_closed()

    async def _all_closed(self) -> None:
        async with asyncio.timeout(20):
            while self.open:  # noqa: ASYNC110  # a test's end may wait a moment
                await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(SWITCHING)
            while data := await reader.read(1000):
                writer.write(data.upper())
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            self.open.discard(writer)

    def wait_until_all_are_closed(self) -> None:
        asyncio.run_coroutine_threadsafe(self._all_closed(), self._loop).result(30)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        assert not self._thread.is_alive()
        self._loop.close()


@pytest.fixture
def echo(no_leaks: None) -> Iterator[Echo]:
    made = Echo()
    yield made
    made.stop()


class Tunnels:
    """Many tunnels of one client."""

    def __init__(self, port: int, count: int) -> None:
        self.sockets = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(count)]
        for number, one in enumerate(self.sockets):
            one.sendall(UPGRADE % number)
        for one in self.sockets:
            head = b""
            while b"\r\n\r\n" not in head:
                piece = one.recv(1000)
                assert piece
                head += piece
            assert head.startswith(b"HTTP/1.1 101 "), head

    def __enter__(self) -> Tunnels:
        return self

    def __exit__(self, *error: object) -> None:
        for one in self.sockets:
            one.close()

    def say(self, text: bytes) -> None:
        """Say something in every tunnel, and hear it again."""
        for one in self.sockets:
            one.sendall(text)
        for one in self.sockets:
            heard = b""
            while len(heard) < len(text):
                piece = one.recv(1000)
                assert piece, "a tunnel ended"
                heard += piece
            assert heard == text.upper()


def site(port: int, number: int) -> str:
    """The upstream's pool is another one each time."""
    return f"{{\n grace_period 100ms\n}}\n:80 {{\n proxy 127.0.0.1:{port} {{\n  connect_timeout {number + 1}s\n }}\n}}"


def test_many_tunnels_survive_many_reloads(echo: Echo, fast: Any) -> None:
    server = fast.start(site(echo.port, 0))
    with Tunnels(server.port, SOCKETS) as tunnels:
        for number in range(1, 21):
            fast.reload(site(echo.port, number))
            if number % 10 == 0:
                tunnels.say(b"hello %d" % number)
        fast.wait_for_end_of_old_graphs()
        tunnels.say(b"still there")
        assert len(fast.shared_things("proxy pool")) == 1, "of the old graphs nothing is left"
    echo.wait_until_all_are_closed()


def test_tunnels_of_a_removed_address_live_on(echo: Echo, fast: Any) -> None:
    server = fast.start(site(echo.port, 0))
    with Tunnels(server.port, 3) as tunnels:
        fast.reload(":81 {\n respond another\n}")
        fast.wait_for_end_of_old_graphs()
        fast.reload(":82 {\n respond another\n}")
        tunnels.say(b"hello")
        assert server.server._removed
    echo.wait_until_all_are_closed()
    fast.wait_until(lambda: not server.server._removed, "nothing is left of the address")


@pytest.mark.parametrize("reloads", [0, 1, 2])
def test_a_stop_cuts_them_off_after_the_grace_period(echo: Echo, fast: Any, reloads: int) -> None:
    """The second reload takes their address away."""
    server = fast.start(site(echo.port, 0))
    with Tunnels(server.port, 3) as tunnels:
        for text in (site(echo.port, 1), "{\n grace_period 100ms\n}\n:81 {\n respond another\n}")[:reloads]:
            fast.reload(text)
        server.stop()
        for one in tunnels.sockets:
            with contextlib.suppress(ConnectionResetError):
                assert one.recv(1000) == b""
    echo.wait_until_all_are_closed()


def test_a_tunnel_that_stands_still_is_closed_although_its_graph_is_gone(echo: Echo, fast: Any) -> None:
    text = site(echo.port, 0).replace("connect_timeout 1s", "idle_timeout 100ms")
    server = fast.start(text)
    with Tunnels(server.port, 1) as tunnels:
        fast.reload(":80 {\n respond another\n}")
        fast.wait_for_end_of_old_graphs()
        assert tunnels.sockets[0].recv(1000) == b""
