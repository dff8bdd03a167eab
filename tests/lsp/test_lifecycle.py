"""How a server begins and ends, and that no message harms it."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from edgescript.lsp.server import Server
from edgescript.lsp.transport import serve
from tests.lsp.marks import CATALOGUE
from tests.lsp.raw import EDGE, EXIT, INITIALIZE, SHUTDOWN, Done, framed, messages, notification, request, server

URI = "file:///nowhere/Edgefile"
AT = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}}


def opened(text: str, uri: str = URI) -> bytes:
    item = {"uri": uri, "languageId": "edgefile", "version": 1, "text": text}
    return notification("textDocument/didOpen", {"textDocument": item})


def test_exit_after_shutdown_is_code_0() -> None:
    done = Done(INITIALIZE + SHUTDOWN + EXIT)
    assert (done.code, done.answer(99)["result"], done.stderr) == (0, None, "")


@pytest.mark.parametrize("sent", [b"", INITIALIZE, INITIALIZE + EXIT, EXIT, INITIALIZE + SHUTDOWN])
def test_a_client_that_goes_in_another_way_is_code_1(sent: bytes) -> None:
    assert Done(sent).code == 1


def test_the_server_ends_at_exit_although_its_input_stays_open() -> None:
    with server() as process:
        assert process.stdin is not None
        process.stdin.write(INITIALIZE + SHUTDOWN + EXIT)
        process.stdin.flush()
        assert process.wait(60) == 0


def test_the_server_ends_with_the_process_that_began_it() -> None:
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    params = {"processId": parent.pid, "rootUri": None, "capabilities": {}}
    with server() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(request(1, "initialize", params))
        process.stdin.flush()
        assert next(messages(process.stdout))["id"] == 1
        parent.communicate(b"\n")
        assert process.wait(60) == 1


@pytest.mark.parametrize("range_", ["[1]", "5", '"x"', '{"start":5}', '{"start":null,"end":[]}'])
def test_a_change_of_no_range_does_not_end_the_server(range_: str) -> None:
    changes = [{"range": json.loads(range_), "text": "a"}]
    change = {"textDocument": {"uri": URI, "version": 2}, "contentChanges": changes}
    done = Done(INITIALIZE + opened("") + notification("textDocument/didChange", change) + SHUTDOWN + EXIT)
    assert (done.code, done.answer(99)["result"]) == (0, None)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "malformed",
    [
        b"nonsense\r\n\r\n",
        b"\r\n\r\n\r\n",
        b"Content-Length: -5\r\n\r\n",
        b"Content-Length: many\r\n\r\n",
        b"Content-Length:\r\n\r\n",
        b"Content-Length: 99999999999999999999999999\r\n\r\n",
        b"Content-Type: text/plain\r\n\r\n",
        b"content-length: 2\r\nContent-Type: x\r\n\r\n{}",
        b"Content-Length: 0\r\n\r\n",
        framed(b"{{{"),
        framed(b"\xff\xfe"),
        framed(b"[1, 2]"),
        framed(b"7"),
        framed(b"[" * 100_000),
        framed(b'{"jsonrpc":"1.0","id":5,"method":"shutdown"}'),
        framed(b'{"jsonrpc":"2.0"}'),
        framed(b'{"jsonrpc":"2.0","id":{},"method":7,"params":[]}'),
        framed(b'{"jsonrpc":"2.0","id":5,"result":{}}'),
        framed(b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":8}}'),
    ],
)
def test_the_next_message_is_answered_after_a_malformed_one(malformed: bytes) -> None:
    done = Done(INITIALIZE + malformed + SHUTDOWN + EXIT)
    assert (done.code, done.answer(99)["result"]) == (0, None)
    assert "Traceback" not in done.stderr


def test_what_is_no_json_is_told_to_the_client() -> None:
    assert Done(framed(b"{{{")).answer(None)["error"]["code"] == -32700


def test_a_message_that_is_too_large_ends_the_connection() -> None:
    done = Done(INITIALIZE + b"Content-Length: 9999999999\r\n\r\n" + SHUTDOWN)
    assert done.code == 1
    assert done.answer(None)["error"]["message"] == "a message has at most 134,217,728 bytes"


def test_half_a_message_ends_without_a_traceback() -> None:
    done = Done(INITIALIZE + SHUTDOWN[:-3])
    assert done.code == 1
    assert "Traceback" not in done.stderr


def _error(*sent: bytes) -> dict[str, Any]:
    done = Done(b"".join(sent) + SHUTDOWN + EXIT)
    assert "Traceback" not in done.stderr
    error: dict[str, Any] = done.answer(7)["error"]
    return error


def test_an_unknown_method_is_an_error() -> None:
    assert _error(INITIALIZE, request(7, "edge/unknown", {}))["code"] == -32601


def test_a_document_that_is_not_open_is_an_error() -> None:
    error = _error(INITIALIZE, request(7, "textDocument/hover", AT))
    assert (error["code"], "is not open" in json.dumps(error)) == (-32602, True)


def test_parameters_that_do_not_fit_are_an_error() -> None:
    assert _error(INITIALIZE, request(7, "textDocument/hover", {"textDocument": 3}))["code"] == -32602


def test_a_request_before_initialize_is_an_error() -> None:
    assert _error(request(7, "textDocument/hover", AT), INITIALIZE)["code"] == -32002


def test_a_request_after_shutdown_is_an_error() -> None:
    done = Done(INITIALIZE + SHUTDOWN + request(7, "textDocument/hover", AT) + EXIT)
    assert (done.code, done.answer(7)["error"]["code"]) == (0, -32600)


def test_changes_and_closings_of_documents_that_are_not_open_are_passed_over() -> None:
    changed = {"textDocument": {"uri": URI, "version": 2}, "contentChanges": [{"text": "x"}]}
    sent = notification("textDocument/didChange", changed)
    sent += notification("textDocument/didClose", {"textDocument": {"uri": URI}})
    error = _error(INITIALIZE, sent, request(7, "textDocument/hover", AT))
    assert error["code"] == -32602


def _changed(*changes: tuple[tuple[int, int], tuple[int, int], str]) -> bytes:
    items = [
        {"range": {"start": {"line": a[0], "character": a[1]}, "end": {"line": b[0], "character": b[1]}}, "text": text}
        for a, b, text in changes
    ]
    params = {"textDocument": {"uri": URI, "version": 2}, "contentChanges": items}
    return notification("textDocument/didChange", params)


@pytest.mark.parametrize(
    ("changes", "formatted"),
    [
        ([((50, 0), (90, 9), ":81\n")], ":80 # 😀\n:81\n"),  # beyond the end
        ([((0, 3), (0, 0), ":81")], ":81 # 😀\n"),  # reversed
        ([((-1, -5), (0, -1), "#")], "#:80 # 😀\n"),  # negative
        ([((0, 7), (0, 8), "x")], ":80 # x\n"),  # from inside of a surrogate pair to its end
    ],
)
def test_ranges_that_are_none_mean_the_nearest_place(changes: Any, formatted: str) -> None:
    # a second blank behind the number shows the whole text by way of what formatting replaces it with
    text = ":80  # 😀\n"
    done = Done(INITIALIZE + opened(text) + _changed(((0, 3), (0, 4), "")) + _changed(*changes) + _shown() + SHUTDOWN)
    hover = done.answer(7)["result"]
    assert hover == _expected(formatted)


def _shown() -> bytes:
    params = {"textDocument": {"uri": URI}, "options": {"tabSize": 4, "insertSpaces": True}}
    return _changed(((99, 0), (99, 0), "\n\n")) + request(7, "textDocument/formatting", params)


def _expected(formatted: str) -> list[dict[str, Any]]:
    lines = formatted.count("\n") + 2
    end = {"line": lines, "character": 0}
    return [{"range": {"start": {"line": 0, "character": 0}, "end": end}, "newText": formatted}]


@pytest.mark.parametrize(
    ("offered", "chosen", "end"),
    [(["utf-8"], "utf-8", 8), (["utf-32", "utf-16"], "utf-32", 5), (None, "utf-16", 6), (["utf-7"], "utf-16", 6)],
)
def test_places_are_counted_as_the_client_wishes(offered: list[str] | None, chosen: str, end: int) -> None:
    general = {} if offered is None else {"general": {"positionEncodings": offered}}
    initialize = request(1, "initialize", {"processId": None, "rootUri": None, "capabilities": general})
    params = {"textDocument": {"uri": URI}, "options": {"tabSize": 4, "insertSpaces": True}}
    done = Done(initialize + opened("x   😀") + request(7, "textDocument/formatting", params) + SHUTDOWN + EXIT)
    assert done.answer(1)["result"]["capabilities"]["positionEncoding"] == chosen
    assert done.answer(7)["result"][0]["range"]["end"] == {"line": 0, "character": end}


# ---- TCP


def _listening(process: subprocess.Popen[bytes]) -> tuple[str, int]:
    assert process.stdout is not None
    host, _, port = process.stdout.readline().decode().strip().rpartition(":")
    return host, int(port)


def test_a_search_for_problems_that_fails_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(*_: Any) -> None:
        raise RuntimeError("a mistake of ours")

    class Told(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.put_nowait(record.getMessage())

    async def run() -> str:
        served, reader = Server(CATALOGUE), asyncio.StreamReader()
        served.protocol.set_writer(SimpleNamespace(write=lambda data: None))
        reader.feed_data(INITIALIZE + opened(":80\n"))
        serving = asyncio.create_task(serve(reader, served))
        said = await heard.get()
        reader.feed_eof()
        await serving
        return said

    heard: asyncio.Queue[str] = asyncio.Queue()
    monkeypatch.setattr("edgescript.lsp.server.look", look)
    log, told = logging.getLogger("edge.lsp"), Told()
    log.addHandler(told)
    try:
        assert asyncio.run(run()) == "problems could not be looked for: RuntimeError: a mistake of ours"
    finally:
        log.removeHandler(told)


def test_a_client_that_reads_nothing_is_asked_for_nothing_more() -> None:
    class Full(Exception):
        """Stands for waiting without end."""

    async def drain() -> None:
        raise Full

    async def run() -> list[bytes]:
        written: list[bytes] = []
        served = Server(CATALOGUE)
        served.protocol.set_writer(SimpleNamespace(write=written.append))
        reader = asyncio.StreamReader()
        reader.feed_data(INITIALIZE + SHUTDOWN)
        with pytest.raises(Full):
            await serve(reader, served, drain)
        return written

    (only,) = asyncio.run(run())
    assert b'"id": 1' in only


def test_several_clients_are_served_over_tcp_each_for_itself() -> None:
    with server("--tcp", ":0") as process:
        address = _listening(process)
        assert address[0] == "127.0.0.1"
        with socket.create_connection(address) as one, socket.create_connection(address) as other:
            one.sendall(INITIALIZE + opened(":80\n"))
            other.sendall(INITIALIZE + request(7, "textDocument/hover", AT))
            heard = messages(other.makefile("rb"))
            assert [next(heard)["id"], "error" in next(heard)] == [1, True]
            other.sendall(b"Content-Length: 9999999999\r\n\r\n")
            assert next(heard)["error"]["code"] == -32600
            assert list(heard) == []
            one.sendall(SHUTDOWN + EXIT)
            assert 99 in [message.get("id") for message in messages(one.makefile("rb"))]
        with socket.create_connection(address) as third:
            third.sendall(INITIALIZE)
            assert next(messages(third.makefile("rb")))["id"] == 1


def test_a_port_in_use_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run([*EDGE, "--tcp", f"127.0.0.1:{taken.getsockname()[1]}"], capture_output=True, timeout=60)
    assert done.returncode != 0
    assert len(done.stderr.decode().strip().splitlines()) == 1


@pytest.mark.parametrize("address", ["x", "127.0.0.1:", "127.0.0.1:99999", "[::1]:x"])
def test_what_is_no_address_is_wrong_usage(address: str) -> None:
    done = subprocess.run([*EDGE, "--tcp", address], capture_output=True, timeout=60)
    assert (done.returncode, b"HOST:PORT" in done.stderr) == (2, True)
