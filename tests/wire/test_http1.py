"""Ordinary HTTP/1.1 on the wire: keep-alive, bodies of all kinds, HEAD and statuses without body, on both engines."""

from __future__ import annotations

import os
import queue
from pathlib import Path
from typing import Any

import pytest

from edgescript.http.body import FileRange, collect
from edgescript.http.exchange import Exchange
from edgescript.http.message import Abort, HTTPError, Response

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
PLAIN = (b"content-type", b"text/plain")


def hello(exchange: Exchange) -> Response:
    return Response(200, [PLAIN], b"hello " + exchange.target)


async def echo(exchange: Exchange) -> Response:
    return Response(200, [PLAIN], await collect(exchange.body, 10_000_000))


class Pieces:
    """A body that pushes `pieces` as fast as it may."""

    def __init__(self, pieces: list[bytes], *, length: int | None = None, broken: bool = False) -> None:
        self.length = length
        self._pieces = list(pieces)
        self._broken = broken
        self._paused = False
        self._sink: Any = None

    def start(self, sink: Any) -> None:
        self._sink = sink
        self._push()

    def _push(self) -> None:
        while self._pieces and not self._paused:
            self._sink.write(self._pieces.pop(0))
        if not self._pieces and self._sink is not None and not self._paused:
            sink, self._sink = self._sink, None
            if self._broken:
                sink.fail(OSError("the disk is gone"))
            else:
                sink.end([])

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        self._push()

    def cancel(self) -> None:
        self._pieces.clear()
        self._sink = None

    def detach(self) -> None:
        return None

    def reattach(self, remaining: int) -> None:
        raise AssertionError


def test_a_connection_serves_one_request_after_the_other(serve_step: Any, connect: Any, engine: str) -> None:
    client = connect(serve_step(hello, engine=engine))
    for number in range(3):
        client.send(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
        answer = client.read_answer()
        assert (answer.status, answer.body) == (200, b"hello /%d" % number)
        assert answer.headers["server"] == "edge"
        assert answer.headers["content-length"] == "8"
        assert answer.headers["date"].endswith("GMT")
        assert "connection" not in answer.headers


def test_connection_close_is_honoured_and_said(serve_step: Any, connect: Any, engine: str) -> None:
    client = connect(serve_step(hello, engine=engine))
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n")
    assert client.read_answer().headers["connection"] == "close"
    assert client.closed()


def test_http_1_0_closes_unless_asked_to_stay(serve_step: Any, connect: Any) -> None:
    server = serve_step(hello)
    client = connect(server)
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    assert client.read_answer().headers["connection"] == "close"
    assert client.closed()
    client = connect(server)
    for _ in range(2):
        client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert client.read_answer().headers["connection"] == "keep-alive"


def test_pipelined_requests_are_answered_in_order(serve_step: Any, connect: Any, engine: str) -> None:
    async def slow_or_fast(exchange: Exchange) -> Response:
        return hello(exchange) if exchange.path != "/body" else await echo(exchange)

    client = connect(serve_step(slow_or_fast, engine=engine))
    client.send(
        b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
        b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        b"POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ndef\r\n0\r\n\r\n"
        b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    assert [client.read_answer().body for _ in range(4)] == [b"hello /1", b"abc", b"def", b"hello /2"]


def test_many_pipelined_requests_are_all_answered(serve_step: Any, connect: Any) -> None:
    client = connect(serve_step(hello))
    client.send(GET * 3000)
    for _ in range(3000):
        assert client.read_answer().status == 200


@pytest.mark.parametrize("size", [1, 3, 20])
def test_a_request_may_come_in_small_pieces(serve_step: Any, connect: Any, size: int) -> None:
    client = connect(serve_step(echo))
    data = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    data += b"5;x=y\r\nhello\r\n00A\r\n, or not..\r\n0\r\nX: y\r\n\r\n"
    client.socket.setsockopt(6, 1, 1)
    for start in range(0, len(data), size):
        client.send(data[start : start + size])
    assert client.read_answer().body == b"hello, or not.."
    client.send(data)
    assert client.read_answer().body == b"hello, or not.."


def test_empty_lines_before_a_request_are_read_over(serve_step: Any, connect: Any) -> None:
    client = connect(serve_step(hello))  # h11 refuses them
    for cut in (1, 3, 50_001):
        empty = b"\r\n" * 100_000
        client.send(empty[:cut])
        client.send(empty[cut:] + GET)
        assert client.read_answer().status == 200


def test_half_an_empty_line_is_no_head_yet(serve_step: Any, connect: Any) -> None:
    server = serve_step(hello)
    client = connect(server)
    client.send(b"\r")
    server.call(server.lane.sweep)
    client.send(b"\n" + GET)
    assert client.read_answer().status == 200


def test_an_absolute_target_counts_more_than_host(serve_step: Any, connect: Any, engine: str) -> None:
    def tell(exchange: Exchange) -> Response:
        return Response(200, [], f"{exchange.host} {exchange.path} {exchange.query!r}".encode())

    client = connect(serve_step(tell, engine=engine))
    client.send(b"GET http://b.example:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n")
    assert client.read_answer().body == b"b.example /x b'y'"


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("size", [0, 1, 70_000, 1_000_000])
def test_request_bodies_arrive_whole(serve_step: Any, connect: Any, engine: str, size: int, chunked: bool) -> None:
    client = connect(serve_step(echo, engine=engine))
    body = os.urandom(size)
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size
    coded = (b"%x\r\n%b\r\n" % (size, body) if size else b"") + b"0\r\n\r\n" if chunked else body
    for _ in range(2):
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\n%b\r\n\r\n%b" % (framing, coded))
        assert client.read_answer().body == body


@pytest.mark.parametrize("length", [True, False])
def test_pushed_bodies_arrive_whole(serve_step: Any, connect: Any, engine: str, length: bool) -> None:
    pieces = [os.urandom(size) for size in (1, 100, 20_000, 100_000, 1)]
    total = sum(map(len, pieces)) if length else None
    client = connect(serve_step(lambda exchange: Response(200, [], Pieces(pieces, length=total)), engine=engine))
    for _ in range(2):
        client.send(GET)
        answer = client.read_answer()
        assert answer.body == b"".join(pieces)
        assert ("transfer-encoding" in answer.headers) is not length


def test_a_body_of_unknown_length_ends_with_the_connection_for_http_1_0(serve_step: Any, connect: Any) -> None:
    client = connect(serve_step(lambda exchange: Response(200, [], Pieces([b"a", b"b"]))))
    client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    answer = client.read_answer()
    assert answer.body == b"ab"
    assert answer.headers["connection"] == "close"
    assert "transfer-encoding" not in answer.headers


@pytest.mark.parametrize("length", [None, 80_000])
def test_a_body_that_breaks_off_breaks_the_connection(serve_step: Any, engine: str, length: int | None) -> None:
    def step(exchange: Exchange) -> Response:
        return Response(200, [], Pieces([b"x" * 70_000, b"abc"], length=length, broken=True))

    head, _, body = serve_step(step, engine=engine).exchange(GET).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert not body.endswith(b"0\r\n\r\n")
    assert len(body) < 80_000


def test_a_body_that_fails_before_it_begins_is_answered_502(serve_step: Any, connect: Any) -> None:
    client = connect(serve_step(lambda exchange: Response(200, [], Pieces([], broken=True))))
    client.send(GET)
    assert client.read_answer().status == 502


# With hypercorn h11 raises in the application for such a body, and the connection ends the same way.
@pytest.mark.parametrize("pieces", [[b"abc"], [b"abcdef"], [b"abc", b"def"]])
def test_a_body_that_does_not_fit_its_length_breaks_the_connection(serve_step: Any, pieces: list[bytes]) -> None:
    answer = serve_step(lambda exchange: Response(200, [], Pieces(pieces, length=5))).exchange(GET * 2)
    assert len(answer.partition(b"\r\n\r\n")[2]) < 5


@pytest.mark.parametrize("size", [0, 100, 32 * 1024, 32 * 1024 + 1, 5_000_000])
def test_files_arrive_whole_and_are_closed(
    no_leaks: None, serve_step: Any, connect: Any, engine: str, size: int, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(os.urandom(size + 10))

    def serve(exchange: Exchange) -> Response:
        return Response(200, [], FileRange(os.open(tmp_path / "file", os.O_RDONLY), 5, size))

    server = serve_step(serve, engine=engine)
    with connect(server) as client:
        for _ in range(2):
            client.send(GET)
            assert client.read_answer().body == (tmp_path / "file").read_bytes()[5 : size + 5]
        client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
        assert client.read_answer(method="HEAD").headers["content-length"] == str(size)
        assert client.read_answer().status == 200
    server.stop()


@pytest.mark.parametrize("size", [10, 100_000])
def test_a_file_that_is_shorter_than_it_was_breaks_the_connection(
    no_leaks: None, serve_step: Any, engine: str, size: int, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(bytes(size - 1))

    def serve(exchange: Exchange) -> Response:
        return Response(200, [], FileRange(os.open(tmp_path / "file", os.O_RDONLY), 0, size))

    server = serve_step(serve, engine=engine)
    body = server.exchange(GET).partition(b"\r\n\r\n")[2]
    assert len(body) < size
    server.stop()


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_body_have_none(serve_step: Any, connect: Any, engine: str, status: int) -> None:
    client = connect(serve_step(lambda exchange: Response(status, [], b"never"), engine=engine))
    for _ in range(2):
        client.send(GET)
        answer = client.read_answer()
        assert answer.status == status
        assert not {"content-length", "transfer-encoding"} & answer.headers.keys()


def test_head_has_the_length_that_get_has_and_no_body(serve_step: Any, connect: Any, engine: str) -> None:
    client = connect(serve_step(hello, engine=engine))
    client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
    assert client.read_answer(method="HEAD").headers["content-length"] == "7"
    assert client.read_answer().body == b"hello /"


def test_a_304_may_say_the_length_of_the_whole(serve_step: Any, connect: Any) -> None:
    client = connect(serve_step(lambda exchange: Response(304, [(b"content-length", b"1234")])))
    client.send(GET * 2)
    assert client.read_answer().headers["content-length"] == "1234"
    assert client.read_answer().status == 304


@pytest.mark.parametrize(
    "field",
    [
        (b"x", b"a\r\ny: b"),
        (b"x", b"a\n"),
        (b"x", b"a\rb"),
        (b"x", b"a\0b"),
        (b"x\r\ny", b"a"),
        (b"x", b"\r\n\r\nbody"),
    ],
)
def test_a_field_with_a_line_end_never_reaches_the_wire(
    serve_step: Any, connect: Any, engine: str, field: tuple[bytes, bytes]
) -> None:
    client = connect(serve_step(lambda exchange: Response(200, [field], b"hello"), engine=engine))
    client.send(GET)
    answer = client.read_answer()
    assert answer.status == 500
    assert "y" not in answer.headers


def test_framing_fields_of_a_step_are_not_sent(serve_step: Any, connect: Any, engine: str) -> None:
    fields = [(b"content-length", b"99"), (b"transfer-encoding", b"chunked"), (b"connection", b"close"), (b"x", b"y")]
    client = connect(serve_step(lambda exchange: Response(200, list(fields), b"hello"), engine=engine))
    client.send(GET * 2)
    for _ in range(2):
        answer = client.read_answer()
        assert answer.body == b"hello"
        assert answer.headers["content-length"] == "5"
        assert "transfer-encoding" not in answer.headers


def test_date_and_server_of_a_response_are_kept(serve_step: Any, connect: Any, engine: str) -> None:
    fields = [(b"date", b"Thu, 01 Jan 1970 00:00:00 GMT"), (b"server", b"other")]
    client = connect(serve_step(lambda exchange: Response(200, list(fields), b"hello"), engine=engine))
    client.send(GET)
    head = client.read_until(b"\r\n\r\n").lower()
    assert head.count(b"\r\ndate: ") == 1
    assert head.count(b"\r\nserver: ") == 1
    assert b"server: other" in head


def test_errors_of_steps_are_answered(serve_step: Any, connect: Any, engine: str) -> None:
    def fail(exchange: Exchange) -> Response:
        raise HTTPError(503, headers=[(b"retry-after", b"1")])

    client = connect(serve_step(fail, engine=engine))
    client.send(GET)
    answer = client.read_answer()
    assert (answer.status, answer.headers["retry-after"], answer.body) == (503, "1", b"503 Service Unavailable\n")


def test_abort_closes_without_an_answer(serve_step: Any) -> None:
    def abort(exchange: Exchange) -> Response:
        raise Abort

    assert serve_step(abort).exchange(GET) == b""


def test_response_close_closes(serve_step: Any, connect: Any, engine: str) -> None:
    client = connect(serve_step(lambda exchange: Response(200, [], b"x", close=True), engine=engine))
    client.send(GET + GET)
    assert client.read_answer().headers["connection"] == "close"
    assert client.closed()


def test_endings_know_what_was_sent(serve_step: Any, connect: Any, engine: str) -> None:
    told: list[tuple[int, int, bool]] = []

    def step(exchange: Exchange) -> Response:
        exchange.on_end(lambda done: told.append((done.response.status, done.sent, done.duration > 0)))  # type: ignore[union-attr]
        return Response(200, [], Pieces([b"abc", b"de"]) if exchange.path == "/pushed" else b"hello")

    server = serve_step(step, engine=engine)
    client = connect(server)
    client.send(GET)
    client.read_answer()
    client.send(b"GET /pushed HTTP/1.1\r\nHost: a\r\n\r\n")
    client.read_answer()
    client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
    client.read_answer(method="HEAD")
    client.read_answer()
    server.stop()
    assert told == [(200, 5, True), (200, 5, True), (200, 0, True), (200, 5, True)]


def test_a_client_that_goes_away_is_sent_no_more_of_a_file(serve_step: Any, engine: str, tmp_path: Path) -> None:
    size = 500_000_000
    path = tmp_path / "large"
    path.touch()
    os.truncate(path, size)
    ended: queue.Queue[int] = queue.Queue()

    def send(exchange: Exchange) -> Response:
        exchange.on_end(lambda exchange: ended.put(exchange.sent))
        return Response(200, [], FileRange(os.open(path, os.O_RDONLY), 0, size))

    with serve_step(send, engine=engine).connect() as client:
        client.sendall(GET)
        assert client.recv(1000)
    assert ended.get(timeout=20) < size


def test_the_client_is_who_connected(serve_step: Any, connect: Any, engine: str) -> None:
    def tell(exchange: Exchange) -> Response:
        client = exchange.client
        return Response(
            200, [], f"{client.remote_ip} {client.remote_port} {client.local_port} {client.scheme}".encode()
        )

    server = serve_step(tell, engine=engine)
    client = connect(server)
    client.send(GET)
    assert client.read_answer().body.decode() == f"127.0.0.1 {client.socket.getsockname()[1]} {server.port} http"


def test_a_trusted_proxy_says_who_the_client_is(serve_step: Any, connect: Any, engine: str) -> None:
    def tell(exchange: Exchange) -> Response:
        return Response(200, [], exchange.client_ip.encode())

    request = b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1, 10.1.1.1\r\n\r\n"
    client = connect(serve_step(tell, "trusted_proxies 127.0.0.0/8 10.0.0.0/8", engine=engine))
    client.send(request)
    assert client.read_answer().body == b"192.0.2.1"
    client = connect(serve_step(tell, engine=engine))
    client.send(request)
    assert client.read_answer().body == b"127.0.0.1"


def test_a_response_change_may_take_server_away(serve_edgefile: Any, connect: Any, engine: str) -> None:
    client = connect(serve_edgefile(':80 {\n header -Server\n respond "hello"\n}\n', engine=engine))
    client.send(GET)
    assert "server" not in client.read_answer().headers
    client = connect(serve_edgefile(':80 {\n header X-Y z\n respond "hello"\n}\n', engine=engine))
    client.send(GET)
    assert client.read_answer().headers["server"] == "edge"


def test_a_body_above_the_limit_of_its_reader_is_answered_413(serve_step: Any, connect: Any, engine: str) -> None:
    async def small(exchange: Exchange) -> Response:
        return Response(200, [], await collect(exchange.body, 3))

    client = connect(serve_step(small, engine=engine))
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd")
    assert client.read_answer().status == 413
