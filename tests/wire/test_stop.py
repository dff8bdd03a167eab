"""Tunnels, graceful stops, replaced graphs, listeners, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from edgescript.graph.model import Listener
from edgescript.http.exchange import Exchange
from edgescript.http.message import Response
from edgescript.http.pending import Pending
from edgescript.server.listen import ListenError, bind, unbind

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def hello(exchange: Exchange) -> Response:
    return Response(200, [], b"hello")


class Echo(asyncio.Protocol):
    """The other end of a tunnel: sends everything back."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data.upper())


def tunnel(exchange: Exchange) -> Response:
    def take_over(transport: asyncio.Transport, rest: bytes) -> None:
        echo = Echo(transport)
        transport.set_protocol(echo)
        if rest:
            echo.data_received(rest)

    response = Response(101, [(b"upgrade", b"echo")])
    response.upgrade = take_over
    return response


def test_an_upgrade_hands_the_connection_over_with_what_came_behind_it(
    no_leaks: None, serve_step: Any, connect: Any
) -> None:
    server = serve_step(tunnel, "grace_period 0s")
    with connect(server) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nfirst ")
        status, headers = client.read_head()
        assert (status, headers["connection"], headers["upgrade"]) == (101, "upgrade", "echo")
        client.send(b"second")
        assert client.read(12) == b"FIRST SECOND"
        server.stop()
        assert client.closed()


def test_a_stop_closes_idle_connections_and_finishes_what_is_in_flight(
    no_leaks: None, serve_step: Any, connect: Any, engine: str
) -> None:
    waiting: list[Pending[bytes]] = []
    arrived = threading.Event()

    async def slow(exchange: Exchange) -> Response:
        if exchange.path == "/slow":
            waiting.append(Pending())
            arrived.set()
            return Response(200, [], await waiting[0])
        return hello(exchange)

    server = serve_step(slow, engine=engine)
    with connect(server) as idle, connect(server) as busy:
        idle.send(GET)
        assert idle.read_answer().status == 200
        busy.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        assert arrived.wait(10)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert idle.closed()
        server.call(waiting[0].set, b"late")
        answer = busy.read_answer()
        assert answer.body == b"late"
        if engine == "fast":  # hypercorn closes without saying so
            assert answer.headers["connection"] == "close"
        assert busy.closed()
        stopping.join()


def test_what_is_not_finished_within_the_grace_period_is_cut_off(
    no_leaks: None, serve_step: Any, connect: Any, engine: str
) -> None:
    cancelled = threading.Event()
    arrived = threading.Event()

    async def never(exchange: Exchange) -> Response:
        arrived.set()
        try:
            return await Pending()
        finally:
            cancelled.set()

    server = serve_step(never, "grace_period 100ms", engine=engine)
    with connect(server) as client:
        client.send(GET)
        assert arrived.wait(10)
        server.stop()
        assert cancelled.is_set()
        assert client.closed() or engine == "hypercorn"  # it still says 500


def test_a_client_that_goes_away_cancels_the_step_that_waits(
    no_leaks: None, serve_step: Any, connect: Any, engine: str
) -> None:
    cancelled = threading.Event()
    arrived = threading.Event()

    async def never(exchange: Exchange) -> Response:
        arrived.set()
        try:
            return await Pending()
        finally:
            cancelled.set()

    server = serve_step(never, engine=engine)
    with connect(server) as client:
        client.send(GET)
        assert arrived.wait(10)
    assert cancelled.wait(10)
    server.stop()


def test_a_replaced_graph_answers_the_next_request(serve_step: Any, make_graph: Any, connect: Any, engine: str) -> None:
    server = serve_step(hello, engine=engine)
    client = connect(server)
    client.send(GET)
    assert client.read_answer().body == b"hello"
    server.call(server.server.replace, make_graph(lambda exchange: Response(200, [], b"another"), "grace_period 0s"))
    client.send(GET)
    assert client.read_answer().body == b"another"


def test_a_unix_socket_is_listened_on_and_removed(tmp_path: Path) -> None:
    path = str(tmp_path / "edge.sock")
    listener = Listener(path, None, None)  # type: ignore[arg-type]  # binding does not look at hosts
    bound = bind(listener)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
    with pytest.raises(ListenError, match="in use"):
        bind(listener)
    bound.close()
    again = bind(listener)  # the file of a server that was killed is no obstacle
    unbind(again, path)
    assert not Path(path).exists()


def test_an_address_in_use_is_one_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"cannot listen on 127.0.0.1:{port}: the address is in use"):
            bind(Listener("127.0.0.1", port, None))  # type: ignore[arg-type]


def test_an_address_of_another_machine_is_one_clear_error() -> None:
    with pytest.raises(ListenError, match="does not have that address"):
        bind(Listener("192.0.2.1", 0, None))  # type: ignore[arg-type]
