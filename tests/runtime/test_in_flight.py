"""What is in flight when another graph comes ends with the one that it began with, however long it takes."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#: More than fits into the buffers of sockets.
LARGE = 8 * 1024 * 1024


class Gate:
    """An origin's answer in two parts: the second comes when the test says so."""

    def __init__(self, head: bytes, first: bytes, rest: bytes) -> None:
        self.began = threading.Event()
        self.go_on = threading.Event()
        self._parts = head + first, rest

    def __call__(self, connection: Any, number: int) -> None:
        connection.read_request()
        first, rest = self._parts
        connection.send(first)
        self.began.set()
        assert self.go_on.wait(20)
        connection.send(rest)
        connection.wait_for_end()


def proxied(address: str, options: str = "") -> str:
    return f"{{\n grace_period 100ms\n}}\n:80 {{\n proxy {address} {{\n  {options}\n }}\n}}"


ANOTHER = "{\n grace_period 100ms\n}\n:80 {\n respond another\n}"


def read_all(client: socket.socket, size: int) -> bytes:
    """So many bytes of body behind a head."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += receive(client)
    body = data.partition(b"\r\n\r\n")[2]
    while len(body) < size:
        body += receive(client)
    return body


def receive(client: socket.socket) -> bytes:
    piece = client.recv(1 << 20)
    assert piece, "the connection ended early"
    return piece


def ask(server: Any) -> bytes:
    with server.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return client.makefile("rb").read().partition(b"\r\n\r\n")[2]


def test_a_download_ends_whole(no_leaks: None, reloading: Any, origin: Any) -> None:
    content = hashlib.shake_128(b"x").digest(1000) * (LARGE // 1000)
    gate = Gate(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content), content[:1000], content[1000:])
    server = reloading.start(proxied(origin(gate).address))
    with server.connect() as client:
        client.sendall(GET)
        assert gate.began.wait(20)
        reloading.reload(ANOTHER)
        assert ask(server) == b"another"
        assert reloading.retired == 1
        gate.go_on.set()
        assert read_all(client, len(content)) == content
    reloading.wait_for_end_of_old_graphs()


def test_a_file_that_is_being_sent_ends_whole(no_leaks: None, reloading: Any, tmp_path: Path) -> None:
    content = hashlib.shake_128(b"y").digest(1000) * (LARGE // 1000)
    (tmp_path / "large.bin").write_bytes(content)
    server = reloading.start(":80 {\n files .\n}")
    with server.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        client.sendall(b"GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        first = receive(client)
        reloading.reload(ANOTHER)
        assert ask(server) == b"another"
        body = first.partition(b"\r\n\r\n")[2]
        while len(body) < len(content):
            body += receive(client)
        assert body == content
    reloading.wait_for_end_of_old_graphs()


def test_an_upload_ends_whole(no_leaks: None, reloading: Any, origin: Any) -> None:
    received: list[bytes] = []
    began = threading.Event()

    def behave(connection: Any, number: int) -> None:
        head = connection.read_head()
        assert b"content-length: %d" % LARGE in head.lower()
        first = connection.read(1000)
        began.set()
        received.append(first + connection.read(LARGE - 1000))
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole")
        connection.wait_for_end()

    content = hashlib.shake_128(b"z").digest(1024) * (LARGE // 1024)
    server = reloading.start(proxied(origin(behave).address))
    with server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % LARGE + content[:100_000])
        assert began.wait(20)
        reloading.reload(ANOTHER)
        assert ask(server) == b"another"
        assert reloading.retired == 1
        client.sendall(content[100_000:])
        assert read_all(client, 5) == b"whole"
    assert received == [content]
    reloading.wait_for_end_of_old_graphs()


def test_a_stream_of_events_goes_on_through_many_reloads(no_leaks: None, reloading: Any, origin: Any) -> None:
    """And it holds only the graph that it began with."""
    numbers = [threading.Event() for _ in range(5)]

    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        for count, event in enumerate(numbers):
            assert event.wait(20)
            connection.send(b"data: %d\n\n" % count)

    server = reloading.start(proxied(origin(behave).address))
    with server.connect() as client:
        client.sendall(GET)
        for count, event in enumerate(numbers):
            event.set()
            data = b""
            while b"data: %d\n\n" % count not in data:
                data += receive(client)
            reloading.reload(ANOTHER.replace("another", f"another-{count}"))
            assert ask(server) == b"another-%d" % count
        reloading.wait_until(lambda: server.server.retired <= 1, "only one old graph is left")
    reloading.wait_for_end_of_old_graphs()


def test_a_request_that_waits_for_a_connection_gets_it(no_leaks: None, reloading: Any, origin: Any) -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def behave(connection: Any, number: int) -> None:
        while True:
            connection.read_request()
            arrived.set()
            assert go_on.wait(20)
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    upstream = origin(behave)
    server = reloading.start(proxied(upstream.address, "max_connections 1"))
    with server.connect() as first, server.connect() as second:
        first.sendall(GET)
        assert arrived.wait(20)
        second.sendall(GET)
        (pool,) = reloading.shared_things("proxy pool")
        reloading.wait_until(lambda: len(pool._waiting) == 1, "the second request waits")
        reloading.reload(ANOTHER)
        go_on.set()
        assert read_all(first, 2) == b"ok"
        assert read_all(second, 2) == b"ok"
        assert upstream.accepted == 1
    reloading.wait_for_end_of_old_graphs()


def test_a_client_that_goes_away_lets_the_old_graph_go(no_leaks: None, reloading: Any, origin: Any) -> None:
    gate = Gate(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", b"12345", b"67890")
    server = reloading.start(proxied(origin(gate).address))
    with server.connect() as client:
        client.sendall(GET)
        assert gate.began.wait(20)
        reloading.reload(ANOTHER)
        assert reloading.retired == 1
    reloading.wait_for_end_of_old_graphs()
    gate.go_on.set()


# ---- removed addresses


TWO = "{\n grace_period 100ms\n}\n:80 {\n respond another\n}\n:81 {\n proxy %s\n}"


@pytest.fixture
def second(reloading: Any) -> Callable[[], socket.socket]:
    return lambda: socket.create_connection(("127.0.0.1", reloading.running.ports[1]), timeout=10)


def is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_removed_address_ends_what_is_in_flight_and_is_closed(
    no_leaks: None, reloading: Any, origin: Any, second: Any, engine: str
) -> None:
    gate = Gate(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", b"12345", b"67890")
    server = reloading.start(TWO % origin(gate).address)
    with second() as busy, second() as idle:
        busy.sendall(GET)
        assert gate.began.wait(20)
        reloading.reload(ANOTHER)
        reloading.wait_until(lambda: is_refused(server.ports[1]), "the address is closed")
        assert idle.recv(1000) == b"", "an idle connection is closed"
        assert reloading.retired == 1
        gate.go_on.set()
        assert read_all(busy, 10) == b"1234567890"
        assert busy.recv(1000) == b"", "there is no further request"
    reloading.wait_for_end_of_old_graphs()
    reloading.wait_until(lambda: not server.server._removed, "nothing is left of the address")
    assert ask(server) == b"another"


def test_a_busy_connection_of_a_removed_address_is_told_that_it_is_the_last(
    no_leaks: None, fast: Any, origin: Any
) -> None:
    go_on, arrived = threading.Event(), threading.Event()

    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        arrived.set()
        assert go_on.wait(20)
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        connection.wait_for_end()

    server = fast.start(TWO % origin(behave).address)
    with socket.create_connection(("127.0.0.1", server.ports[1]), timeout=10) as client:
        client.sendall(GET)
        assert arrived.wait(20)
        fast.reload(ANOTHER)
        go_on.set()
        answer = client.makefile("rb").read()
        assert b"\r\nconnection: close\r\n" in answer.lower()
        assert answer.endswith(b"ok")


def test_an_address_that_comes_back_is_another_one(no_leaks: None, reloading: Any, origin: Any, second: Any) -> None:
    gate = Gate(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", b"12345", b"67890")
    text = TWO % origin(gate).address
    server = reloading.start(text)
    with second() as busy:
        busy.sendall(GET)
        assert gate.began.wait(20)
        reloading.reload(ANOTHER)
        reloading.reload(ANOTHER + "\n:81 {\n respond back\n}")
        port = server.call(lambda: server.server.addresses[1].port)
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(GET)
            assert read_all(client, 4) == b"back"
        gate.go_on.set()
        assert read_all(busy, 10) == b"1234567890"
    reloading.wait_for_end_of_old_graphs()


def test_a_stop_does_not_wait_for_a_removed_address_longer_than_the_grace_period(
    no_leaks: None, reloading: Any, origin: Any, second: Any
) -> None:
    gate = Gate(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", b"12345", b"")
    server = reloading.start(TWO % origin(gate).address)
    with second() as busy:
        busy.sendall(GET)
        assert gate.began.wait(20)
        reloading.reload(ANOTHER)
        server.stop()
        gate.go_on.set()
        assert not busy.makefile("rb").read().endswith(b"67890")
