"""Limits, timeouts, backpressure and what any bytes may do: a client cannot take more than it is given."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgescript.http.body import collect
from edgescript.http.exchange import Exchange
from edgescript.http.message import Response

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"


def hello(exchange: Exchange) -> Response:
    return Response(200, [], b"hello")


async def echo(exchange: Exchange) -> Response:
    return Response(200, [], await collect(exchange.body, 10_000_000))


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


# ---- limits


@pytest.mark.parametrize(
    ("options", "data", "status"),
    [
        ("limits { \n max_header_size 1KiB \n }", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 2000 + b"\r\n\r\n", 431),
        ("limits { \n max_header_size 1KiB \n }", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 2000, 431),
        ("limits { \n max_header_count 3 \n }", b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 3 + b"\r\n", 431),
        ("limits { \n max_uri_size 100B \n }", b"GET /" + b"x" * 100 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        ("limits { \n max_uri_size 100B \n }", b"GET /" + b"x" * 200, 414),
        ("limits { \n max_body_size 4B \n }", POST + b"Content-Length: 5\r\n\r\nhello", 413),
        ("limits { \n max_body_size 4B \n }", POST + b"Content-Length: 5\r\n\r\n", 413),
        ("limits { \n max_body_size 4B \n }", POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 413),
        ("limits { \n max_body_size 4B \n }", POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n", 413),
        ("", POST + b"Expect: the-unexpected\r\nContent-Length: 5\r\n\r\nhello", 417),
    ],
)
def test_what_is_above_a_limit_is_refused(serve_step: Any, options: str, data: bytes, status: int) -> None:
    answer = serve_step(echo, options).exchange(data)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer
    assert b"\r\nconnection: close\r\n" in answer


@pytest.mark.parametrize(
    ("options", "data", "status"),
    [
        ("limits { \n max_header_size 1KiB \n }", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 2000 + b"\r\n\r\n", 431),
        ("limits { \n max_header_count 3 \n }", b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 3 + b"\r\n", 431),
        ("limits { \n max_uri_size 100B \n }", b"GET /" + b"x" * 100 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        ("limits { \n max_body_size 4B \n }", POST + b"Content-Length: 5\r\n\r\nhello", 413),
        ("limits { \n max_body_size 4B \n }", POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 413),
    ],
)
def test_hypercorn_refuses_what_is_above_a_limit(
    serve_step: Any, connect: Any, options: str, data: bytes, status: int
) -> None:
    client = connect(serve_step(echo, options, engine="hypercorn"))
    client.send(data)
    assert client.read_answer().status == status


def test_a_head_may_be_as_large_as_the_limit(serve_step: Any, connect: Any) -> None:
    client = connect(serve_step(hello, "limits { \n max_header_size 1KiB \n }"))
    start = b"GET / HTTP/1.1\r\nHost: a\r\nX: "
    client.send(start + b"x" * (1024 - len(start)) + b"\r\n\r\n")
    assert client.read_answer().status == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_step_may_limit_the_body_further(serve_step: Any, connect: Any, engine: str, chunked: bool) -> None:
    async def limited(exchange: Exchange) -> Response:
        exchange.body_limit = 100_000
        return await echo(exchange)

    body = bytes(200_000)
    data = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" if chunked else b"Content-Length: %d\r\n\r\n%b"
    client = connect(serve_step(limited, engine=engine))
    client.send(POST + data % (len(body), body))
    assert client.read_answer().status == 413


# ---- 100-continue


def test_the_client_is_told_to_go_on_when_somebody_reads(serve_step: Any, connect: Any, engine: str) -> None:
    client = connect(serve_step(echo, engine=engine))
    for _ in range(2):
        client.send(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert client.read_head()[0] == 100
        client.send(b"hello")
        assert client.read_answer().body == b"hello"


def test_an_answer_without_reading_says_nothing_and_closes(serve_step: Any, connect: Any) -> None:
    client = connect(serve_step(hello))
    client.send(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    assert client.read_answer().status == 200
    client.socket.shutdown(1)
    assert client.closed()


def test_a_body_that_came_with_its_head_needs_no_interim_answer(serve_step: Any, connect: Any) -> None:
    client = connect(serve_step(echo))
    client.send(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello")
    assert client.read_answer().body == b"hello"


def test_a_step_may_send_interim_responses(serve_step: Any, connect: Any) -> None:
    def early(exchange: Exchange) -> Response:
        exchange.client.inform(103, [(b"link", b"</style.css>; rel=preload")])
        exchange.client.inform(100, [])
        return hello(exchange)

    client = connect(serve_step(early))
    client.send(GET)
    assert client.read_head() == (103, {"link": "</style.css>; rel=preload"})
    assert client.read_answer().status == 200
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    assert client.read_answer().status == 200


# ---- bodies that nobody reads


def test_the_short_rest_of_an_unread_body_is_read_over(serve_step: Any, connect: Any) -> None:
    client = connect(serve_step(hello))
    client.send(POST + b"Content-Length: 100000\r\n\r\n")
    assert client.read_answer().body == b"hello"
    client.send(bytes(100_000) + GET)
    assert client.read_answer().body == b"hello"
    assert client.rest == b""


def test_a_long_unread_body_ends_the_connection_behind_the_answer(serve_step: Any, connect: Any) -> None:
    client = connect(serve_step(hello))
    client.send(POST + b"Content-Length: 10000000\r\n\r\n" + bytes(1000))
    assert client.read_answer().body == b"hello"
    client.socket.shutdown(1)
    assert client.closed()


def test_a_client_that_sends_everything_before_it_reads_gets_the_answer(serve_step: Any, connect: Any) -> None:
    client = connect(serve_step(hello))
    client.send(POST + b"Content-Length: 30000000\r\n\r\n" + bytes(30_000_000))
    assert client.read_answer().body == b"hello"


# ---- timeouts, by a clock that stands still


def _swept(server: Any, clock: Clock, seconds: float, times: int = 1) -> None:
    for _ in range(times):
        clock.now += seconds
        server.call(server.lane.sweep)


def _until(condition: Any) -> None:
    """Wait for something that another thread is about to do."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.001)


def _connections(server: Any) -> list[Any]:
    return server.call(lambda: list(server.lane.connections))


def test_an_unfinished_head_is_answered_408(serve_step: Any, connect: Any) -> None:
    clock = Clock()
    server = serve_step(hello, "timeouts { \n read_header 10s \n }", clock=clock)
    client = connect(server)
    client.send(GET)
    assert client.read_answer().status == 200
    client.send(b"GET / HT")
    _until(lambda: _connections(server)[0]._scanned)
    _swept(server, clock, 9)
    client.send(b"TP/1.1\r\n")
    _until(lambda: _connections(server)[0]._scanned > 8)
    _swept(server, clock, 2)
    assert client.read_answer().status == 408
    client.socket.shutdown(1)
    assert client.closed()


def test_a_connection_that_never_asks_is_closed(serve_step: Any, connect: Any) -> None:
    clock = Clock()
    server = serve_step(hello, "timeouts { \n read_header 10s \n idle 1m \n }", clock=clock)
    client = connect(server)
    _until(lambda: _connections(server))
    _swept(server, clock, 11)
    assert client.closed()


def test_an_idle_connection_is_closed_later(serve_step: Any, connect: Any) -> None:
    clock = Clock()
    server = serve_step(hello, "timeouts { \n read_header 10s \n idle 1m \n }", clock=clock)
    client = connect(server)
    client.send(GET)
    client.read_answer()
    _swept(server, clock, 11)
    client.send(GET)
    assert client.read_answer().status == 200
    _swept(server, clock, 61)
    assert client.closed()


def test_a_client_that_sends_on_behind_its_last_answer_is_not_listened_to_for_ever(
    serve_step: Any, connect: Any
) -> None:
    clock = Clock()
    server = serve_step(hello, clock=clock)
    silent, busy = connect(server), connect(server)
    for client in (silent, busy):
        client.send(POST + b"Content-Length: 10000000\r\n\r\n")
        assert client.read_answer().body == b"hello"
    for _ in range(7):
        assert len(_connections(server)) == (2 if clock.now < 1005 else 1)
        clock.now += 4
        before = clock.now
        busy.send(b"x")
        _until(lambda before=before: any(getattr(one, "_heard", 0) == before for one in _connections(server)))
        server.call(server.lane.sweep)
    clock.now += 4
    server.call(server.lane.sweep)
    _until(lambda: not _connections(server))


def test_an_answer_that_is_read_slowly_is_not_cut_off_by_the_end_of_the_connection(
    serve_step: Any, connect: Any
) -> None:
    clock = Clock()
    server = serve_step(lambda exchange: Response(200, [], bytes(20_000_000)), clock=clock)
    client = connect(server)
    client.send(POST + b"Content-Length: 10000000\r\n\r\n")
    _until(lambda: type(_connections(server)[0]).__name__ == "Linger")
    client.read_head()
    _swept(server, clock, 20, times=3)
    assert not any(client.read(20_000_000))


def test_a_slow_upload_goes_on_and_a_stalled_one_is_answered_408(serve_step: Any, connect: Any) -> None:
    clock = Clock()
    server = serve_step(echo, "timeouts { \n read_body_idle 10s \n min_rate 1B \n }", clock=clock)
    client = connect(server)
    client.send(POST + b"Content-Length: 1000\r\n\r\n")
    _until(lambda: _connections(server) and _connections(server)[0]._body is not None)
    body = _connections(server)[0]._body
    for number in range(1, 6):
        _swept(server, clock, 6)
        client.send(bytes(20))
        _until(lambda number=number: body.received == 20 * number)
    _swept(server, clock, 6, times=4)
    assert client.read_answer().status == 408


def test_a_client_that_does_not_read_is_cut_off_and_memory_stays_bounded(serve_step: Any, connect: Any) -> None:
    clock = Clock()
    written = 0

    class Endless:
        """Pushes for as long as it may."""

        length = None
        paused = False
        sink: Any = None
        cancelled = threading.Event()

        def start(self, sink: Any) -> None:
            self.sink = sink
            self.resume()

        def resume(self) -> None:
            nonlocal written
            self.paused = False
            while not self.paused and self.sink is not None:
                written += 50_000
                self.sink.write(bytes(50_000))

        def pause(self) -> None:
            self.paused = True

        def cancel(self) -> None:
            self.sink = None
            self.cancelled.set()

        def detach(self) -> None:
            return None

        def reattach(self, remaining: int) -> None: ...

    server = serve_step(lambda exchange: Response(200, [], Endless()), "timeouts { \n write_idle 10s \n }", clock=clock)
    client = connect(server)
    client.send(GET)
    client.read_head()
    client.read(200_000)
    connection = _connections(server)[0]
    _until(lambda: connection.write_paused)
    assert connection.transport.get_write_buffer_size() < 200_000
    assert written < 20_000_000  # what the sockets of both sides hold
    _swept(server, clock, 6, times=4)
    assert Endless.cancelled.wait(20)
    _until(lambda: not _connections(server))


def _send_until_stuck(client: Any, data: bytes) -> int:
    """How much the server takes before it stops reading."""
    sent = 0
    try:
        while sent < 100_000_000:
            sent += client.socket.send(data)
    except TimeoutError:
        pass
    return sent


def test_many_requests_of_a_client_that_does_not_read_wait_unserved(serve_step: Any, connect: Any) -> None:
    served = 0

    def large(exchange: Exchange) -> Response:
        nonlocal served
        served += 1
        return Response(200, [], bytes(60_000))

    server = serve_step(large)
    client = connect(server)
    client.socket.settimeout(1)
    assert _send_until_stuck(client, GET * 1000) < 30_000_000
    connection = _connections(server)[0]
    assert connection.transport.get_write_buffer_size() < 200_000
    assert served * 60_000 < 20_000_000


def test_a_large_upload_waits_for_its_reader(serve_step: Any, connect: Any) -> None:
    started = threading.Event()

    class Stuck:
        """A sink that pauses at once."""

        def __init__(self, body: Any) -> None:
            self.body = body
            self.taken = 0

        def write(self, data: bytes) -> None:
            self.taken += len(data)
            self.body.pause()
            started.set()

        def end(self, trailers: Any) -> None: ...

        def fail(self, error: Exception) -> None: ...

    from edgescript.http.pending import Pending

    sinks = []

    async def stuck(exchange: Exchange) -> Response:
        sinks.append(Stuck(exchange.body))
        exchange.body.start(sinks[0])  # type: ignore[union-attr]
        return await Pending()

    server = serve_step(stuck, "grace_period 0s")
    client = connect(server)
    client.socket.settimeout(1)
    client.send(POST + b"Content-Length: 100000000\r\n\r\n")
    sent = _send_until_stuck(client, bytes(1_000_000))
    assert sent < 50_000_000
    assert sinks[0].taken < 1_000_000


# ---- any bytes

_PIECES = st.sampled_from(
    [
        b"GET ", b"/", b" HTTP/1.1", b"\r\n", b"\n", b"\r", b"Host: a", b"Content-Length: 5", b"Transfer-Encoding: chunked",
        b"\r\n\r\n", b"hello", b"0\r\n\r\n", b"5\r\n", b":", b" ", b"\t", b"\0", b"POST / HTTP/1.1\r\nHost: a\r\n",
        b"Expect: 100-continue\r\n", b"Connection: close\r\n", b"HTTP/2.0", b"\xff",
    ]
)  # fmt: skip


@given(st.one_of(st.binary(max_size=200), st.lists(_PIECES, max_size=30).map(b"".join)))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_answered_or_closed_and_the_next_connection_is_served(
    echo_server: Any, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    answer = echo_server.exchange(data, end=True)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
    assert echo_server.exchange(GET, end=True).startswith(b"HTTP/1.1 200 ")
    assert not [record for record in caplog.records if record.exc_info]


@pytest.fixture(scope="module")
def echo_server(module_servers: Any, make_graph: Any) -> Any:
    return module_servers.start(make_graph(echo))
