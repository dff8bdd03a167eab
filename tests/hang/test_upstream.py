"""Upstreams that stop at a chosen point, and clients that do: the right status or a cleanly broken answer, and no leaks."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

OK = b"HTTP/1.1 200 OK\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
SHORT = ("connect_timeout 200ms", "response_header_timeout 200ms", "idle_timeout 200ms")

pytestmark = pytest.mark.usefixtures("no_leaks")


def answer_to(server: Any, request: bytes = GET) -> tuple[bytes, bool]:
    """All that comes until the server closes, and whether it closed in peace."""
    pieces = []
    with server.connect() as client:
        client.sendall(request)
        try:
            while piece := client.recv(65536):
                pieces.append(piece)
        except ConnectionResetError:
            return b"".join(pieces), False
    return b"".join(pieces), True


def test_an_upstream_that_never_answers_is_given_up_with_504(
    proxy_to: Callable[..., Any], origin: Callable[..., Any]
) -> None:
    ended = threading.Event()

    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.wait_for_end()
        ended.set()

    answer, _ = answer_to(proxy_to(origin(behave).address, *SHORT))
    assert answer.startswith(b"HTTP/1.1 504 Gateway Timeout\r\n")
    assert ended.wait(20)


def test_a_head_without_end_is_given_up(proxy_to: Callable[..., Any], origin: Callable[..., Any]) -> None:
    def endless(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(OK)
        while True:
            connection.send(b"X-Endless: " + b"a" * 1000 + b"\r\n")

    def half(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(OK + b"X-Half: ")
        connection.wait_for_end()

    assert answer_to(proxy_to(origin(endless).address))[0].startswith(b"HTTP/1.1 502")
    assert answer_to(proxy_to(origin(half).address, *SHORT))[0].startswith(b"HTTP/1.1 504")


@pytest.mark.parametrize(
    "begin", [b"Content-Length: 10000\r\n\r\n" + b"a" * 1000, b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"]
)
def test_a_body_that_stands_still_is_broken_off(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], begin: bytes
) -> None:
    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(OK + begin)
        connection.wait_for_end()

    answer, _ = answer_to(proxy_to(origin(behave).address, *SHORT))
    assert answer.startswith(OK)
    assert not answer.endswith(b"0\r\n\r\n")
    assert len(answer) < 10_000


def test_the_log_says_how_much_of_a_broken_body_was_sent(
    serve_edgefile: Callable[..., Any], origin: Callable[..., Any], tmp_path: Path
) -> None:
    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(OK + b"Content-Length: 1000000\r\n\r\n" + b"a" * 300_000)

    server = serve_edgefile(f":80 {{\n log {{\n output file edge.log\n }}\n proxy {origin(behave).address}\n}}")
    answer, _ = answer_to(server)
    server.stop()
    (line,) = (tmp_path / "edge.log").read_text().splitlines()
    assert json.loads(line)["size"] == len(answer.partition(b"\r\n\r\n")[2]) > 0


def test_chunk_extensions_and_trailers_without_end_are_broken_off(
    proxy_to: Callable[..., Any], origin: Callable[..., Any]
) -> None:
    for begin, more in ((b"3;", b"x" * 1000), (b"0\r\n", b"X-Trailer: " + b"a" * 1000 + b"\r\n")):

        def behave(connection: Any, number: int, begin: bytes = begin, more: bytes = more) -> None:
            connection.read_request()
            connection.send(OK + b"Transfer-Encoding: chunked\r\n\r\n" + begin)
            while True:
                connection.send(more)

        answer, _ = answer_to(proxy_to(origin(behave).address))
        assert not answer.endswith(b"0\r\n\r\n")


def test_an_upstream_that_takes_no_body_is_given_up(proxy_to: Callable[..., Any], origin: Callable[..., Any]) -> None:
    released = threading.Event()

    def behave(connection: Any, number: int) -> None:
        connection.read_head()
        released.wait(20)

    server = proxy_to(origin(behave).address, *SHORT)
    with server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n")
        client.settimeout(20)
        answers: list[bytes] = []
        reader = threading.Thread(target=lambda: answers.append(client.recv(1000)))
        reader.start()
        try:
            while reader.is_alive():
                client.sendall(b"a" * 100_000)
        except OSError:
            pass
        reader.join(20)
    released.set()
    assert answers[0].startswith(b"HTTP/1.1 504")


def test_a_client_that_goes_away_takes_the_exchange_with_it(
    proxy_to: Callable[..., Any], origin: Callable[..., Any]
) -> None:
    ended = [threading.Event() for _ in range(3)]
    arrived = threading.Event()

    def behave(connection: Any, number: int) -> None:
        connection.read_head()
        if number == 2:
            connection.send(OK + b"Content-Length: 1000000\r\n\r\nbegun")
        if number == 3:
            connection.read(5)
        arrived.set()
        connection.wait_for_end()
        ended[number - 1].set()

    server = proxy_to(origin(behave).address)
    with server.connect() as client:
        client.sendall(GET)
        assert arrived.wait(20)
    assert ended[0].wait(20), "while the head was awaited"
    with server.connect() as client:
        client.sendall(GET)
        assert client.recv(100).startswith(OK)
    assert ended[1].wait(20), "in the middle of the response"
    arrived.clear()
    with server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nbegun")
        assert arrived.wait(20)
    assert ended[2].wait(20), "in the middle of the request"


def test_an_upstream_that_closes_during_an_upload_raises_nothing(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    def behave(connection: Any, number: int) -> None:
        connection.read_head()
        connection.read(1 + 7000 * (number % 9))

    server = proxy_to(origin(behave).address)
    for number in range(40):
        fields = b"Content-Length: 300000" if number % 2 else b"Transfer-Encoding: chunked"
        with server.connect() as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + fields + b"\r\n\r\n")
            try:
                for _ in range(30):
                    client.sendall(b"a" * 10_000 if number % 2 else b"2710\r\n" + b"a" * 10_000 + b"\r\n")
                assert client.recv(100).startswith(b"HTTP/1.1 502")
            except ConnectionError:
                pass
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_slow_reader_stops_the_upstream(proxy_to: Callable[..., Any], origin: Callable[..., Any]) -> None:
    sent = []
    size = 200_000_000

    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(OK + b"Transfer-Encoding: chunked\r\n\r\n")
        connection.socket.settimeout(1)
        count = 0
        try:
            while count < size:
                connection.socket.sendall(b"10000\r\n" + b"a" * 65536 + b"\r\n")
                count += 65536
        except TimeoutError:
            sent.append(count)

    made = origin(behave)
    server = proxy_to(made.address)
    with server.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.sendall(GET)
        assert client.recv(10)
        made.join()
    assert sent
    assert sent[0] < 30_000_000, "what is not read waits in the sockets, not in the server"


def test_a_slow_upstream_stops_the_writer(proxy_to: Callable[..., Any], origin: Callable[..., Any]) -> None:
    released = threading.Event()
    received = []

    def behave(connection: Any, number: int) -> None:
        connection.read_head()
        released.wait(20)
        received.append(len(connection.read_chunks()[0]))
        connection.send(OK + b"Content-Length: 0\r\n\r\n")

    server = proxy_to(origin(behave).address)
    count = 0
    with server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.settimeout(1)
        try:
            while count < 200_000_000:
                client.sendall(b"10000\r\n")
                client.sendall(b"a" * 65536)
                client.sendall(b"\r\n")
                count += 65536
        except TimeoutError:
            pass
        assert count < 30_000_000
        released.set()


def test_an_upstream_that_ends_while_it_should_read_ends_the_request(
    proxy_to: Callable[..., Any], origin: Callable[..., Any]
) -> None:
    blocked = threading.Event()

    def behave(connection: Any, number: int) -> None:
        connection.read_head()
        blocked.wait(20)
        connection.socket.shutdown(socket.SHUT_WR)
        ended.wait(30)

    ended = threading.Event()
    server = proxy_to(origin(behave).address)
    with server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n")
        client.settimeout(1)
        with pytest.raises(TimeoutError):
            client.sendall(b"a" * 100_000_000)
        client.settimeout(15)
        blocked.set()
        with contextlib.suppress(ConnectionResetError):
            answer = client.recv(65536)
            assert answer == b"" or answer.startswith(b"HTTP/1.1 502 ")
    ended.set()


def test_a_connection_attempt_that_hangs_is_given_up_with_504(proxy_to: Callable[..., Any]) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = []
        for _ in range(4):  # fills the queue of connections that nobody accepts
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(full.getsockname())
            waiting.append(one)
        answer, _ = answer_to(proxy_to(f"127.0.0.1:{full.getsockname()[1]}", *SHORT))
        for one in waiting:
            one.close()
    assert answer.startswith(b"HTTP/1.1 504")


def test_any_bytes_for_an_answer_end_in_502_or_a_broken_answer(
    proxy_to: Callable[..., Any], origin: Callable[..., Any]
) -> None:
    whole = OK + b"Content-Length: 5\r\nX-A: b\r\n\r\nhello"
    chunked = OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"
    cut = [data[:end] for data in (whole, chunked) for end in range(0, len(data), 3)]
    turns = iter(cut)

    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(next(turns))

    server = proxy_to(origin(behave).address)
    for data in cut:
        answer, _ = answer_to(server)
        if not answer.startswith(b"HTTP/1.1 502"):
            assert not answer.endswith((b"hello", b"0\r\n\r\n")), data
