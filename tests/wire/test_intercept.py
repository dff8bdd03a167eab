"""`intercept` on the wire, on both engines: real streams below it, bodies that were sent, clients that get nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from edgescript.tally import REQUESTS

pytestmark = pytest.mark.usefixtures("no_leaks")

UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"


def post(body: bytes, *, chunked: bool) -> bytes:
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    sent = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body
    return f"POST /x HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n".encode() + sent


def unavailable(connection: Any, number: int) -> None:
    while True:
        connection.read_request()
        connection.send(UNAVAILABLE + b"5\r\nsorry\r\n0\r\n\r\n")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_streamed_body_that_was_sent_is_no_second_time_there_and_the_client_is_told(
    serve_edgefile: Callable[..., Any],
    origin: Callable[..., Any],
    connect: Any,
    engine: str,
    caplog: Any,
    *,
    chunked: bool,
) -> None:
    address = origin(unavailable).address
    server = serve_edgefile(
        f":80 {{\nintercept 5xx {{\nproxy {address}\n}}\nhandle_errors {{\nrespond {{err.message}}\n}}\nproxy {address}\n}}",
        engine=engine,
    )
    client = connect(server)
    client.send(post(b"x" * 500_000, chunked=chunked))
    answer = client.read_answer()
    assert (answer.status, answer.body) == (
        500,
        b"the request's body was taken by a step before this one, and was not kept",
    )
    assert not [record for record in caplog.records if record.exc_info]


def test_a_short_body_is_sent_a_second_time(
    serve_edgefile: Callable[..., Any], origin: Callable[..., Any], connect: Any, engine: str
) -> None:
    def echo(connection: Any, number: int) -> None:
        _, body = connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    server = serve_edgefile(
        f":80 {{\nintercept 5xx {{\nproxy {origin(echo).address}\n}}\nproxy {origin(unavailable).address}\n}}",
        engine=engine,
    )
    client = connect(server)
    client.send(post(b"hello", chunked=False))
    assert client.read_answer()[::2] == (200, b"hello")


def test_a_response_that_was_looked_at_is_not_told_where_the_client_got_none(
    serve_edgefile: Callable[..., Any], connect: Any
) -> None:
    server = serve_edgefile(":80 {\nintercept {\nabort\n}\nrespond below\n}")
    client = connect(server)
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert client.socket.recv(100) == b""
    until = time.monotonic() + 20
    while not (found := _statuses(server)):
        assert time.monotonic() < until
        time.sleep(0.005)
    assert found == ["0"]


def _statuses(server: Any) -> list[str]:
    series = server.call(lambda: [*server.graph.meter.series()])
    return [one.labels[-1] for one in series if one.metric.name == REQUESTS.name and one.values[0]]


def test_a_wrapper_in_the_block_may_run_what_is_below_it_again(
    serve_edgefile: Callable[..., Any], connect: Any, engine: str, tmp_path: Any
) -> None:
    (tmp_path / "again.py").write_text(
        "async def again(request, next):\n    await next(request)\n    return await next(request)\n"
    )
    server = serve_edgefile(
        ":80 {\nintercept 404 {\npython again.py:again wrap\nintercept 404 {\nheader X-Inner yes\n}\n}\nrespond gone 404\n}",
        engine=engine,
    )
    client = connect(server)
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = client.read_answer()
    assert (answer.status, answer.body, answer.headers["x-inner"]) == (404, b"gone", "yes")
