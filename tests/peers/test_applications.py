"""Python applications behind the proxy, and a WebSocket library in front of it."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

WSGI = """
import sys
from wsgiref.simple_server import make_server

def application(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    return [environ["REQUEST_METHOD"].encode(), b" ", environ["HTTP_X_FORWARDED_FOR"].encode(), b" ", body]

make_server("127.0.0.1", int(sys.argv[1]), application).serve_forever()
"""

ASGI = """
import asyncio
import sys
from hypercorn.asyncio import serve
from hypercorn.config import Config

async def application(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError("only http")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    for number in range(3):
        await send({"type": "http.response.body", "body": b"data: %d\\n\\n" % number, "more_body": True})
        if number == 0:
            while (await receive()).get("more_body"):
                pass
    await send({"type": "http.response.body", "body": b""})

config = Config()
config.bind = [f"127.0.0.1:{sys.argv[1]}"]
asyncio.run(serve(application, config))
"""


def test_a_wsgi_application_answers(python_server: Callable[..., str], proxy_to: Callable[..., Any]) -> None:
    server = proxy_to(python_server(WSGI, "application.py", "{port}"))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        connection.request(method, "/", body=b"x" * 100_000 if method != "GET" else None)
        response = connection.getresponse()
        body = response.read()
        assert body.startswith(f"{method} 127.0.0.1 ".encode())
        assert len(body) >= 100_000 or method == "GET"
        assert response.headers.get_all("set-cookie") == ["a=1", "b=2"]
    connection.close()


def test_an_asgi_application_streams_events_while_it_still_reads(
    python_server: Callable[..., str], proxy_to: Callable[..., Any]
) -> None:
    server = proxy_to(python_server(ASGI, "application.py", "{port}"))
    with server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        data = b""
        while b"data: 0" not in data:
            piece = client.recv(65536)
            assert piece
            data += piece
        assert b"data: 1" not in data
        client.sendall(b"0\r\n\r\n")
        while not data.endswith(b"0\r\n\r\n"):
            piece = client.recv(65536)
            assert piece
            data += piece
    assert b"data: 2" in data


@pytest.fixture
def echo_server() -> Iterator[int]:
    def echo(connection: ServerConnection) -> None:
        for message in connection:
            connection.send(message)

    with serve(echo, "127.0.0.1", 0, max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.socket.getsockname()[1]
        server.shutdown()
        thread.join()


def test_web_sockets_pass(echo_server: int, proxy_to: Callable[..., Any]) -> None:
    server = proxy_to(f"127.0.0.1:{echo_server}")
    for compression in (None, "deflate"):
        with connect(f"ws://127.0.0.1:{server.port}/chat?x", compression=compression, max_size=None) as client:
            for message in ("hello", "", "é" * 1000, b"\x00" * 3_000_000):
                client.send(message)
                assert client.recv(timeout=20) == message
            client.ping().wait(20)
        assert client.protocol.close_code == 1000
