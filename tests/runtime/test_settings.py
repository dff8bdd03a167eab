"""Settings of the next graph hold at once, on connections that are open already."""

from __future__ import annotations

import threading
from typing import Any

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def answer(client: Any) -> bytes:
    data = b""
    while not data.endswith(b" end"):
        piece = client.recv(1000)
        if not piece:
            return data
        data += piece
    return data


def site(setting: str, text: str = "{client_ip}") -> str:
    return f'{{\n {setting}\n}}\n:80 {{\n respond "{text} end"\n}}'


def test_a_limit(no_leaks: None, reloading: Any) -> None:
    server = reloading.start(site("grace_period 1s"))
    with server.connect() as client:
        client.sendall(GET)
        assert b" 200 " in answer(client)
        reloading.reload(site("limits {\n max_uri_size 100\n }"))
        client.sendall(b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % (b"x" * 200))
        assert b" 414 " in client.recv(1000)


def test_who_is_believed(no_leaks: None, reloading: Any) -> None:
    server = reloading.start(site("grace_period 1s"))
    request = b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n"
    with server.connect() as client:
        client.sendall(request)
        assert answer(client).endswith(b"127.0.0.1 end")
        reloading.reload(site("trusted_proxies 127.0.0.0/8"))
        client.sendall(request)
        assert answer(client).endswith(b"192.0.2.7 end")
        reloading.reload(site("grace_period 1s"))
        client.sendall(request)
        assert answer(client).endswith(b"127.0.0.1 end")


def test_how_long_a_connection_may_be_idle(no_leaks: None, fast: Any) -> None:
    server = fast.start(site("timeouts {\n idle 1h\n }"))
    with server.connect() as client:
        client.sendall(GET)
        assert answer(client)
        fast.reload(site("timeouts {\n idle 100ms\n }"))
        assert client.recv(1000) == b"", "it is closed, and not in an hour"


def test_how_long_a_stop_waits(no_leaks: None, reloading: Any, origin: Any) -> None:
    arrived = threading.Event()

    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        arrived.set()
        connection.wait_for_end()

    address = origin(behave).address
    server = reloading.start(f"{{\n grace_period 1h\n}}\n:80 {{\n proxy {address}\n}}")
    with server.connect() as client:
        client.sendall(GET)
        assert arrived.wait(20)
        reloading.reload(f"{{\n grace_period 100ms\n}}\n:80 {{\n proxy {address}\n}}")
        server.stop()
