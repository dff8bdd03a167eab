"""After 101: raw bytes both ways."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Callable
from typing import Any

UPGRADE = b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-A: b\r\n\r\n"


def head_of(client: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.recv(65536)
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def read(client: socket.socket, size: int, data: bytes = b"") -> bytes:
    while len(data) < size:
        piece = client.recv(65536)
        assert piece, "the tunnel ended"
        data += piece
    return data


def echo(connection: Any, number: int) -> None:
    head = connection.read_head()
    assert b"\r\nupgrade: websocket\r\nconnection: upgrade\r\n" in head
    connection.send(SWITCHING + b"welcome")
    while data := connection.socket.recv(65536):
        connection.send(data)
    connection.send(b"bye")


def test_bytes_pass_both_ways_from_the_first_to_the_last(
    no_leaks: None, proxy_to: Callable[..., Any], origin: Callable[..., Any]
) -> None:
    with proxy_to(origin(echo).address).connect() as client:
        client.sendall(UPGRADE + b"early")
        head, rest = head_of(client)
        assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
        assert b"\r\nx-a: b" in head
        assert b"\r\nupgrade: websocket" in head
        assert b"\r\nconnection: upgrade" in head
        assert read(client, 12, rest) == b"welcomeearly"
        client.sendall(b"\x00\xff" * 100)
        assert read(client, 200) == b"\x00\xff" * 100
        client.shutdown(socket.SHUT_WR)
        assert read(client, 3) == b"bye", "a closed writing side does not close the reading side"
        assert client.recv(1) == b""


def test_much_passes_both_ways_at_once(proxy_to: Callable[..., Any], origin: Callable[..., Any]) -> None:
    data = bytes(range(256)) * 20_000
    with proxy_to(origin(echo).address).connect() as client:
        client.sendall(UPGRADE)
        _, rest = head_of(client)
        read(client, 7, rest)
        thread = threading.Thread(target=client.sendall, args=(data,))
        thread.start()
        assert read(client, len(data)) == data
        thread.join()


def test_an_end_that_dies_takes_the_other_with_it(
    no_leaks: None, proxy_to: Callable[..., Any], origin: Callable[..., Any]
) -> None:
    ended = threading.Event()

    def behave(connection: Any, number: int) -> None:
        connection.read_head()
        connection.send(SWITCHING)
        if number == 1:
            return
        connection.wait_for_end()
        ended.set()

    server = proxy_to(origin(behave).address)
    with server.connect() as client:
        client.sendall(UPGRADE)
        head_of(client)
        assert client.recv(1) == b""
    with server.connect() as client:
        client.sendall(UPGRADE)
        head_of(client)
    assert ended.wait(20)


def test_a_tunnel_in_which_nothing_moves_is_closed(proxy_to: Callable[..., Any], origin: Callable[..., Any]) -> None:
    def behave(connection: Any, number: int) -> None:
        connection.read_head()
        connection.send(SWITCHING)
        connection.wait_for_end()

    with proxy_to(origin(behave).address, "idle_timeout 200ms").connect() as client:
        client.sendall(UPGRADE)
        head_of(client)
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""


def test_an_upgrade_that_is_refused_is_an_ordinary_answer(
    proxy_to: Callable[..., Any], origin: Callable[..., Any]
) -> None:
    server = proxy_to(origin(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno").address)
    with server.connect() as client:
        for _ in range(2):
            client.sendall(UPGRADE)
            head, rest = head_of(client)
            assert head.startswith(b"HTTP/1.1 426")
            assert read(client, 2, rest) == b"no"


def test_nobody_changes_to_http2_past_our_rules(proxy_to: Callable[..., Any], origin: Callable[..., Any]) -> None:
    made = origin(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    with proxy_to(made.address).connect() as client:
        client.sendall(
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
            b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
        )
        head_of(client)
    assert b"upgrade" not in made.heads[0].lower()
    assert b"http2-settings" not in made.heads[0].lower()


def test_http_1_0_cannot_change_the_protocol(proxy_to: Callable[..., Any], origin: Callable[..., Any]) -> None:
    made = origin(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    with proxy_to(made.address).connect() as client:
        client.sendall(UPGRADE.replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert head_of(client)[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"upgrade" not in made.heads[0].lower()


def test_a_client_that_reads_nothing_is_not_waited_for_when_the_upstream_has_ended(
    proxy_to: Callable[..., Any], origin: Callable[..., Any]
) -> None:
    stuck = threading.Event()

    def flood(connection: Any, number: int) -> None:
        connection.read_head()
        connection.send(SWITCHING)
        connection.socket.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            while True:
                connection.socket.send(b"x" * 65536)
        stuck.set()

    server = proxy_to(origin(flood).address, "idle_timeout 300ms")
    with server.connect() as client:
        client.sendall(UPGRADE)
        assert stuck.wait(20)
        (transport,) = server.call(lambda: set(server.lane.tunnels))
        server.call(_closed, transport)


async def _closed(transport: Any) -> None:
    """Returns when the transport's descriptor is closed; `call` gives up after a while."""
    name = f"/proc/self/fd/{transport.get_extra_info('socket').fileno()}"
    socket_of = os.readlink(name)
    with contextlib.suppress(FileNotFoundError):
        while os.readlink(name) == socket_of:  # noqa: ASYNC110  # nothing tells of a closed descriptor
            await asyncio.sleep(0.01)
