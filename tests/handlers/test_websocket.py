"""WebSockets of ASGI applications on the fast lane, with real clients."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from edgescript.graph.shared import Shared

APP = """
import pathlib
notes = pathlib.Path(__file__).parent / "notes"
NAME = "one"

async def app(scope, receive, send):
    if scope["type"] != "websocket":
        return await globals()["http"](scope, receive, send)
    assert (await receive()) == {"type": "websocket.connect"}
    await globals()[scope["path"].strip("/")](scope, receive, send)

async def http(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": NAME.encode()})

async def echo(scope, receive, send):
    try:
        await send({"type": "websocket.accept", "headers": [(b"x-scheme", scope["scheme"].encode())]})
    except OSError:
        notes.write_text("gone")
        raise
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            notes.write_text(f"{message['code']} {message['reason']}")
            return
        await send({"type": "websocket.send", "text": message["text"], "bytes": message["bytes"]})

async def chat(scope, receive, send):
    await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][-1]})
    await send({"type": "websocket.send", "text": scope["root_path"] + scope["query_string"].decode()})
    await send({"type": "websocket.close", "code": 4001, "reason": "enough"})

async def refuses(scope, receive, send):
    await send({"type": "websocket.close"})

async def explains(scope, receive, send):
    await send({"type": "websocket.http.response.start", "status": 401, "headers": [(b"x-why", b"unknown")]})
    await send({"type": "websocket.http.response.body", "body": b"who are you?"})

async def fails(scope, receive, send):
    raise ValueError("of no use")

async def fails_later(scope, receive, send):
    await send({"type": "websocket.accept"})
    raise ValueError("of no use either")

async def leaves(scope, receive, send):
    await send({"type": "websocket.accept"})

async def sleeps(scope, receive, send):
    await send({"type": "websocket.accept"})
    await asyncio.sleep(1000)

async def splits(scope, receive, send):
    try:
        await send({"type": "websocket.accept", "headers": [(b"x", b"1\\r\\ny: 2")]})
    except OSError:
        notes.write_text("gone")

async def floods(scope, receive, send):
    await send({"type": "websocket.accept"})
    for number in range(200):
        await send({"type": "websocket.send", "bytes": bytes(65536)})
"""


HANDSHAKE = (
    b"GET %s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def url(server: Any, path: str) -> str:
    return f"ws://127.0.0.1:{server.port}{path}"


def test_messages_go_both_ways_and_the_end_is_told(fast: Callable[..., Any], tmp_path: Path) -> None:
    server = fast("app main.py:app", main=APP)
    with connect(url(server, "/echo"), compression=None) as client:
        assert client.response is not None
        assert client.response.headers["x-scheme"] == "ws"
        for message in ("ahoy", "", b"\0\1", "ü" * 100_000, b"x" * 300_000):
            client.send(message)
            assert client.recv(timeout=20) == message
        client.send(["in ", "pieces"])
        assert client.recv(timeout=20) == "in pieces"
        client.ping().wait(20)
        client.close(4000, "done")
    server.stop()
    assert (tmp_path / "notes").read_text() == "4000 done"


def test_a_browsers_offer_of_compression_is_not_taken(fast: Callable[..., Any]) -> None:
    server = fast("app main.py:app", main=APP)
    with connect(url(server, "/echo")) as client:
        client.send("plain")
        assert client.recv(timeout=20) == "plain"


def test_the_application_chooses_a_subprotocol_and_closes(fast: Callable[..., Any]) -> None:
    server = fast("handle_path /in/* {\napp main.py:app\n}", main=APP.replace('scope["path"].strip("/")', '"chat"'))
    with connect(url(server, "/in/chat?x=1"), subprotocols=["a", "b"]) as client:  # type: ignore[list-item]
        assert client.subprotocol == "b"
        assert client.recv(timeout=20) == "/inx=1"
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "enough")


@pytest.mark.parametrize(
    ("path", "status", "body"), [("/refuses", 403, b""), ("/explains", 401, b"who are you?"), ("/fails", 500, None)]
)
def test_a_handshake_may_be_refused(path: str, status: int, body: bytes | None, fast: Callable[..., Any]) -> None:
    server = fast("app main.py:app", main=APP)
    with pytest.raises(InvalidStatus) as refused:
        connect(url(server, path))
    assert refused.value.response.status_code == status
    assert body is None or refused.value.response.body == body


@pytest.mark.parametrize(("path", "code"), [("/fails_later", 1011), ("/leaves", 1000)])
def test_an_application_that_ends_ends_its_websocket(path: str, code: int, fast: Callable[..., Any]) -> None:
    server = fast("app main.py:app", main=APP)
    with connect(url(server, path)) as client, pytest.raises(ConnectionClosed) as closed:
        client.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code


def test_a_message_that_is_too_large_ends_it(fast: Callable[..., Any]) -> None:
    server = fast("app main.py:app", main=APP)
    with connect(url(server, "/echo"), compression=None) as client, pytest.raises(ConnectionClosed) as closed:  # noqa: PT012
        client.send([b"x" * 1024 * 1024 for _ in range(18)])  # the close may be here before all of it is sent
        client.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_all_that_is_sent_arrives_at_a_client_that_is_slow(fast: Callable[..., Any]) -> None:
    server = fast("app main.py:app", main=APP)
    received = 0
    with connect(url(server, "/floods"), compression=None, max_queue=1) as client:
        for message in client:
            received += len(message)
    assert received == 200 * 65536


@pytest.mark.parametrize(
    ("path", "frame"),
    [
        pytest.param("/sleeps", b"\x89\xfd\0\0\0\0" + bytes(125), id="pings whose answers nobody reads"),
        pytest.param("/sleeps", b"\x81\x80\0\0\0\0", id="empty messages that nobody receives"),
    ],
)
def test_a_client_that_only_sends_is_held_back(path: str, frame: bytes, fast: Callable[..., Any]) -> None:
    server = fast("{\n    grace_period 100ms\n}\n:80 {\n    app main.py:app\n}\n", main=APP)
    frames = frame * (65536 // len(frame))
    with server.connect() as client:
        client.sendall(HANDSHAKE % path.encode())
        assert b"101 Switching Protocols" in client.recv(65536)
        client.settimeout(2)
        with pytest.raises(TimeoutError):  # 64 MiB are more than the system keeps for two sockets
            client.sendall(frames * 1024)


def test_a_message_in_very_many_pieces_is_one(fast: Callable[..., Any]) -> None:
    server = fast("app main.py:app", main=APP)
    with connect(url(server, "/echo"), compression=None) as client:
        client.send(["", *("ü" for _ in range(2000)), ""])
        assert client.recv(timeout=20) == "ü" * 2000
        client.send([b"", *(b"x" for _ in range(2000))])
        assert client.recv(timeout=20) == b"x" * 2000


@pytest.mark.parametrize("path", ["/echo", "/splits"])
def test_an_application_whose_101_is_never_sent_hears_that_its_client_is_gone(
    path: str, fast: Callable[..., Any], tmp_path: Path
) -> None:
    wrapper = """
async def instead(request, next):
    response = await next(request)
    return "no" if request.path == "/echo" else response
"""
    server = fast("python main.py:instead wrap\napp main.py:app", main=APP + wrapper)
    with server.connect() as client:
        client.sendall(HANDSHAKE % path.encode())
        assert b"101" not in client.recv(65536).split(b"\r\n")[0]
        waited = threading.Event()
        while not (tmp_path / "notes").exists():
            assert not waited.wait(0.02)


def test_frames_that_break_the_protocol_end_the_connection(fast: Callable[..., Any], tmp_path: Path) -> None:
    server = fast("app main.py:app", main=APP)
    with server.connect() as client:
        client.sendall(HANDSHAKE % b"/echo")
        head = client.recv(65536)
        assert b"101 Switching Protocols" in head
        assert b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in head
        client.sendall(b"\xff" * 50)
        rest = b""
        while piece := client.recv(65536):
            rest += piece
    assert rest[:1] == b"\x88"
    assert int.from_bytes(rest[2:4]) == 1002


@pytest.mark.parametrize("field", ["Sec-WebSocket-Version: 8", "Sec-WebSocket-Key: short", "X-Nothing: 1"])
def test_what_is_no_handshake_is_a_request_like_others(field: str, fast: Callable[..., Any]) -> None:
    server = fast("app main.py:app", main=APP)
    headers = {
        "Upgrade": "websocket",
        "Connection": "upgrade",
        "Sec-WebSocket-Key": "x",
        field.split(":")[0]: field.split()[1],
    }
    assert httpx.get(f"{server.url}/echo", headers=headers).text == "one"


def test_websockets_live_through_reloads_that_change_their_module(compiled: Any, servers: Any, tmp_path: Path) -> None:
    shared = Shared()
    stops = "\n@on_stop\ndef stop(): (notes.parent / f'stopped-{NAME}').touch()\n"
    server = servers.start(compiled("app main.py:app", shared, main=APP + stops))
    with connect(url(server, "/echo")) as client:
        for number in range(5):
            graph = compiled("app main.py:app", shared, main=APP.replace('"one"', f'"{number}"') + stops)
            server.call(server.server.replace, graph)
            assert httpx.get(server.url).text == str(number)
            client.send(f"after {number}")
            assert client.recv(timeout=20) == f"after {number}"
        with connect(url(server, "/echo")) as other:
            other.send("new")
            assert other.recv(timeout=20) == "new"
        assert not (tmp_path / "stopped-one").exists()
    waited = threading.Event()
    while not (tmp_path / "stopped-one").exists():
        assert not waited.wait(0.02)
    server.stop()
    assert (tmp_path / "stopped-4").exists()


def test_a_stop_ends_websockets_and_the_hooks_run(fast: Callable[..., Any], tmp_path: Path) -> None:
    stops = "\n@on_stop\ndef stop(): (notes.parent / 'stopped').touch()\n"
    server = fast("{\n    grace_period 200ms\n}\n:80 {\n    app main.py:app\n}\n", main=APP + stops)
    with connect(url(server, "/echo")) as client:
        client.send("x")
        assert client.recv(timeout=20) == "x"
        server.stop()
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=20)
    assert (tmp_path / "stopped").exists()
