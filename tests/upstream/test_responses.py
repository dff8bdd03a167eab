"""What an origin answers, byte by byte, and what comes of it at the client."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

OK = b"HTTP/1.1 200 OK\r\n"


def parts(answer: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """Status line, fields and body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    return status, dict(line.split(b": ", 1) for line in lines), body


@pytest.fixture
def behind(proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]) -> Callable[..., Any]:
    """`behind(answer, method="GET")`: what the client gets when the origin answers so."""

    def asked(answer: Any, **request: Any) -> bytes:
        server = proxy_to(origin(answer).address, "via off")
        return ask(server, **request)

    return asked


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (OK + b"Content-Length: 5\r\n\r\nhello", b"200 OK", b"hello"),
        (OK + b"Content-Length: 0\r\n\r\n", b"200 OK", b""),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", b"200 OK", b"hello"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", b"200 OK", b"hello"),
        (b"HTTP/1.1 404 Nothing Here\r\nContent-Length: 2\r\n\r\nno", b"404 Not Found", b"no"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"204 No Content", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", b"304 Not Modified", b""),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"200 OK", b"hello"),
        (b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", b"200 OK", b"hello"),
    ],
)
def test_a_sound_response_passes(behind: Callable[..., bytes], answer: bytes, status: bytes, body: bytes) -> None:
    line, _, given = parts(behind(answer))
    assert (line, given) == (b"HTTP/1.1 " + status, body)


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        OK + b"Content-Length: 3, 3\r\n\r\nabc",
        OK + b"Content-Length: +3\r\n\r\nabc",
        OK + b"Content-Length: -3\r\n\r\nabc",
        OK + b"Content-Length: 99999999999999999999999\r\n\r\nabc",
        OK + b"Content-Length : 3\r\n\r\nabc",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked, gzip\r\n\r\nabc",
        OK + b"Transfer-Encoding: identity\r\n\r\nabc",
        OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\nabc",
        OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc",
        OK + b"X-Long: a\r\n folded\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        OK + b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
        OK + b"X: a\rb\r\nContent-Length: 0\r\n\r\n",
        OK + b"X Y: a\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 099 Early\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
        b"\x15\x03\x03\x00\x02\x02\x50 garbage\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 21 + OK + b"Content-Length: 0\r\n\r\n",
        OK + b"X: " + b"a" * 70_000,
        OK + b"X: a\r\n" * 20_000,
    ],
    ids=lambda answer: repr(answer[:70]),
)
def test_an_unsound_response_is_answered_502(behind: Callable[..., bytes], answer: bytes) -> None:
    assert b"HTTP/1.1 502 Bad Gateway\r\n" in behind(answer)


def test_a_response_to_head_has_the_length_of_get_and_no_body(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    made = origin(OK + b"Content-Length: 5\r\nX-A: b\r\n\r\n")
    server = proxy_to(made.address)
    for _ in range(3):
        status, fields, body = parts(ask(server, "HEAD"))
        assert (status, fields[b"content-length"], fields[b"x-a"], body) == (b"HTTP/1.1 200 OK", b"5", b"b", b"")
    assert made.accepted == 1, "the connection is used again"


def test_a_connection_is_not_used_again_after_bytes_behind_a_response(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    for extra in (b"x", OK + b"Content-Length: 3\r\n\r\nbad"):
        made = origin(OK + b"Content-Length: 4\r\n\r\ngood" + extra)
        server = proxy_to(made.address)
        assert [parts(ask(server))[2] for _ in range(3)] == [b"good"] * 3
        assert made.accepted == 3


def test_what_comes_on_an_idle_connection_is_no_answer(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(OK + b"Content-Length: 4\r\n\r\ngood")
        connection.wait_for_end() if number > 1 else connection.send(OK + b"Content-Length: 3\r\n\r\nbad")
        connection.wait_for_end()
        ended.set()

    ended = threading.Event()
    made = origin(behave)
    server = proxy_to(made.address)
    assert parts(ask(server))[2] == b"good"
    assert ended.wait(20)
    assert parts(ask(server))[2] == b"good"


def test_fields_between_neighbours_end_at_the_gateway(behind: Callable[..., bytes]) -> None:
    answer = behind(
        OK
        + b"Connection: X-Private, keep-alive\r\nX-Private: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\n"
        b"Upgrade: h2c\r\nX-Public: 2\r\nContent-Length: 0\r\n\r\n"
    )
    _, fields, _ = parts(answer)
    assert fields.keys() - {b"date", b"server"} == {b"x-public", b"content-length", b"connection"}


def test_interim_responses_pass_and_continue_ends_here(behind: Callable[..., bytes]) -> None:
    answer = behind(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
        + OK
        + b"Content-Length: 0\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("pieces", [1, 3])
def test_trailers_pass(behind: Callable[..., bytes], pieces: int) -> None:
    data = (
        OK
        + b"Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 7\r\nAuthorization: 9\r\n\r\n"
    )
    size = -(-len(data) // pieces)

    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        for start in range(0, len(data), size):
            connection.send(data[start : start + size])
        connection.wait_for_end()

    assert behind(behave).endswith(b"\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 7\r\n\r\n")


def test_the_end_of_the_connection_is_the_end_of_a_body_without_length(behind: Callable[..., bytes]) -> None:
    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(OK + b"\r\nhello")

    assert behind(behave).endswith(b"5\r\nhello\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    "begun",
    [
        OK + b"Content-Length: 500000\r\n\r\n" + b"a" * 100_000,
        OK + b"Content-Length: 500\r\n\r\n" + b"a" * 100,
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ],
    ids=["long", "short", "chunks", "no last line"],
)
def test_a_response_that_breaks_off_never_looks_whole(behind: Callable[..., bytes], begun: bytes) -> None:
    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(begun)

    status, fields, body = parts(behind(behave))
    if status == b"HTTP/1.1 200 OK":
        if b"content-length" in fields:
            assert len(body) < int(fields[b"content-length"])
        else:
            assert not body.endswith(b"0\r\n\r\n")
    else:
        assert status == b"HTTP/1.1 502 Bad Gateway"


def test_malformed_chunks_in_the_middle_break_the_response_off(behind: Callable[..., bytes]) -> None:
    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(OK + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            connection.send(b"5\r\nhello\r\n")
        connection.send(b"zz\r\n")
        connection.wait_for_end()

    answer = behind(behave)
    assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 502"))
    assert not answer.endswith(b"0\r\n\r\n")


def test_a_head_that_repeats_itself_is_understood_each_time(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    head = OK + b"Content-Length: 3\r\nX-A: b\r\n\r\n"

    def behave(connection: Any, number: int) -> None:
        for body in (b"one", b"two"):
            connection.read_request()
            connection.send(head + body)
        connection.read_request()
        connection.send(head + b"thr")  # in two pieces, with another head behind it next time
        connection.read_request()
        connection.send(head[:20])
        connection.send(head[20:] + b"fou")
        connection.read_request()
        connection.send(OK + b"Content-Length: 4\r\nX-A: c\r\n\r\nfive")
        connection.read_request()
        connection.send(head + b"six" + b"surplus")
        connection.wait_for_end()

    made = origin(behave)
    server = proxy_to(made.address)
    answers = [parts(ask(server)) for _ in range(6)]
    assert [body for _, _, body in answers] == [b"one", b"two", b"thr", b"fou", b"five", b"six"]
    assert [fields[b"x-a"] for _, fields, _ in answers] == [b"b", b"b", b"b", b"b", b"c", b"b"]
    assert made.accepted == 1


def test_a_remembered_head_does_not_go_with_another_length(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    head = OK + b"Content-Length: 3\r\n\r\n"

    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(head + b"one")
        connection.read_request()
        connection.send(OK + b"Content-Length: 9\r\n\r\n")
        connection.send(b"the other")
        connection.read_request()
        connection.send(head + b"two" + b"behind")

    server = proxy_to(origin(behave).address)
    assert [parts(ask(server))[2] for _ in range(3)] == [b"one", b"the other", b"two"]


def test_a_connection_is_used_again_after_a_long_body_that_the_client_read_slowly(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    chunk = b"a" * 4_000_000

    def behave(connection: Any, number: int) -> None:
        while True:
            connection.read_request()
            connection.send(OK + b"Transfer-Encoding: chunked\r\n\r\n3d0900\r\n" + chunk + b"\r\n0\r\n\r\n")

    made = origin(behave)
    server = proxy_to(made.address)
    for _ in range(3):
        assert ask(server).endswith(b"a\r\n0\r\n\r\n")
    assert made.accepted == 1
