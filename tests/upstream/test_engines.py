"""The proxy under the other engine: the same coroutines inside tasks, bodies through ASGI."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("engine", ["fast", "hypercorn"])
def test_bodies_pass_both_ways_on_both_engines(
    no_leaks: None, proxy_to: Callable[..., Any], origin: Callable[..., Any], engine: str
) -> None:
    def behave(connection: Any, number: int) -> None:
        while True:
            head, body = connection.read_request()
            if head.startswith(b"HEAD"):
                connection.send(OK + b"Content-Length: 7\r\n\r\n")
            elif head.startswith(b"GET"):
                connection.send(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
                connection.send(b"7\r\n, world\r\n0\r\n\r\n")
            else:
                connection.send(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    url = proxy_to(origin(behave).address, engine=engine).url
    data = os.urandom(2_000_000)
    with httpx.Client(timeout=20) as client:
        assert client.get(url).content == b"hello, world"
        assert client.head(url).headers["content-length"] == "7"
        assert client.post(url, content=data).content == data
        assert client.post(url, content=iter([data[:10], data[10:]])).content == data
        assert client.post(url, content=b"small").content == b"small"


@pytest.mark.parametrize("engine", ["fast", "hypercorn"])
def test_errors_are_the_same_on_both_engines(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], engine: str
) -> None:
    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.wait_for_end()

    slow = proxy_to(origin(behave).address, "response_header_timeout 100ms", engine=engine)
    assert httpx.get(slow.url, timeout=20).status_code == 504
    assert httpx.get(proxy_to("unix//nowhere.sock", engine=engine).url, timeout=20).status_code == 502


@pytest.mark.parametrize("engine", ["fast", "hypercorn"])
def test_a_client_that_goes_away_ends_the_upstream_exchange_on_both_engines(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], engine: str
) -> None:
    arrived, ended = threading.Event(), threading.Event()

    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        arrived.set()
        connection.wait_for_end()
        ended.set()

    with proxy_to(origin(behave).address, engine=engine).connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert arrived.wait(20)
    assert ended.wait(20)
