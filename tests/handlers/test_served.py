"""Handlers behind real sockets: many at a time, clients that leave, streams, threads, and loops that are held."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

Serve = Callable[..., Any]


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait for something that another thread does."""
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def tasks_of(server: Any) -> list[str]:
    """The tasks of handlers; an engine may have others."""

    def found() -> list[str]:
        codes = [task.get_coro().cr_code for task in asyncio.all_tasks()]  # type: ignore[union-attr]
        return [code.co_qualname for code in codes if any(f"/edgescript/{room}/" in code.co_filename for room in ROOMS)]

    return [name for name in server.call(found) if "Watchdog" not in name]


ROOMS = ("api", "handlers", "http", "server/serve")


def test_bodies_stream_both_ways(serve: Serve) -> None:
    server = serve(
        "python /echo shop.py:echo\npython /size shop.py:size\npython shop.py:plain",
        shop="""
        async def echo(request):
            async def pieces():
                async for piece in request.stream():
                    yield piece
            return Response(pieces())

        async def size(request):
            return str(sum([len(piece) async for piece in request.stream()]))

        def plain(request):
            return {"length": len(request.content), "method": request.method}
        """,
    )
    body = b"0123456789abcdef" * 50_000
    chunked = iter([body[:100_000], body[100_000:]])
    with httpx.Client(base_url=server.url, timeout=30) as client:
        assert client.post("/size", content=body).text == str(len(body))
        assert client.post("/size", content=chunked).text == str(len(body))
        assert client.post("/plain", content=body).json() == {"length": len(body), "method": "POST"}
        assert client.post("/echo", content=b"short").content == b"short"


def test_a_response_is_read_while_its_request_is_sent(fast: Serve) -> None:
    """HTTP/1.1 allows it; the echo of a body that is larger than all buffers needs it."""
    server = fast(
        "python shop.py:echo",
        shop="""
        async def echo(request):
            async def pieces():
                async for piece in request.stream():
                    yield piece
            return Response(pieces())
        """,
    )
    size = 8 * 1024 * 1024
    with server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % size)
        sender = threading.Thread(target=client.sendall, args=(bytes(size),))
        sender.start()
        received = 0
        while piece := client.recv(65536):
            received += len(piece)
        sender.join()
    assert received > size


def test_a_slow_client_holds_the_iterator_back(serve: Serve) -> None:
    server = serve(
        "python /count shop.py:count\npython shop.py:endless",
        shop="""
        given = 0

        async def endless(request):
            async def pieces():
                global given
                while True:
                    given += 1
                    yield bytes(64 * 1024)
            return Response(pieces())

        async def count(request): return str(given)
        """,
    )
    with server.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        client.recv(100)
        seen, steady = -1, 0
        while steady < 5:
            now = int(httpx.get(f"{server.url}/count").text)
            steady = steady + 1 if now == seen else 0
            seen = now
            time.sleep(0.05)
    assert 0 < seen < 400  # 25 MiB: what the kernel and the engine hold at most


def test_an_iterator_that_fails_breaks_the_connection_and_says_where(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(
        "python shop.py:half",
        shop="""
        async def half(request):
            async def pieces():
                yield b"the first half"
                raise ValueError("no second half")
            return Response(pieces())
        """,
    )
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(server.url)
    eventually(lambda: "no second half" in caplog.text, caplog.text)
    assert "the body of a response broke off, in shop.py:half" in caplog.text


def test_a_client_that_leaves_cancels_a_coroutine_and_closes_its_generator(serve: Serve) -> None:
    server = serve(
        "python /seen shop.py:seen\npython /stream shop.py:stream\npython shop.py:slow",
        shop="""
        log = []

        async def slow(request):
            log.append("begun")
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                log.append("cancelled")
                raise

        async def stream(request):
            async def pieces():
                try:
                    while True:
                        yield b"x" * 1000
                        await asyncio.sleep(0.01)
                finally:
                    log.append("closed")
            return Response(pieces())

        async def seen(request): return log
        """,
    )

    def seen() -> list[str]:
        found: list[str] = httpx.get(f"{server.url}/seen").json()
        return found

    with server.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        eventually(lambda: "begun" in seen(), "it did not begin")
    eventually(lambda: "cancelled" in seen(), "it was not cancelled")
    with server.connect() as client:
        client.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        client.recv(1000)
    eventually(lambda: "closed" in seen(), "the generator was not closed")


def test_a_client_that_leaves_while_a_plain_generator_works_is_no_error(
    fast: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = fast(
        "python shop.py:index",
        shop="""
        import pathlib
        here = pathlib.Path(__file__).parent

        def index(request):
            def pieces():
                try:
                    (here / "begun").touch()
                    while not (here / "left").exists():
                        time.sleep(0.01)
                    yield "x"
                finally:
                    (here / "closed").touch()

            return Response(pieces())
        """,
    )
    with server.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        eventually(lambda: (tmp_path / "begun").exists(), "it did not begin")
    eventually(lambda: "nobody waits for" in caplog.text, "the client's leaving was not noticed")
    (tmp_path / "left").touch()
    eventually(lambda: (tmp_path / "closed").exists(), "it was not closed")
    server.stop()
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_thousand_requests_at_many_connections_leave_no_task_behind(serve: Serve) -> None:
    server = serve(
        "python /wait shop.py:waiting\npython /plain shop.py:plain\npython shop.py:quick",
        shop="""
        async def quick(request): return request.query["n"]

        async def waiting(request):
            await asyncio.sleep(0.001)
            return request.query["n"]

        def plain(request): return request.query["n"]
        """,
    )
    with httpx.Client(base_url=server.url, timeout=30) as client:
        client.get("/?n=1")

    def ask(worker: int) -> None:
        with httpx.Client(base_url=server.url, timeout=30) as client:
            for number in range(125):
                path = ("/", "/wait", "/plain")[number % 3]
                assert client.get(path, params={"n": f"{worker}-{number}"}).text == f"{worker}-{number}"

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    eventually(lambda: not tasks_of(server), "tasks are left")


def test_coroutines_wait_beside_each_other(serve: Serve) -> None:
    server = serve(
        "python shop.py:meet",
        shop="""
        barrier = None

        async def meet(request):
            global barrier
            barrier = barrier or asyncio.Barrier(20)
            await barrier.wait()
            return "met"
        """,
    )
    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(lambda _: httpx.get(server.url, timeout=30).text, range(20))) == {"met"}


THREADS = """
{
    python {
        threads 2
        waiting 1
    }
}
:80 {
    python /quick shop.py:quick
    python shop.py:hold
}
"""


def test_more_calls_than_threads_wait_and_more_than_may_wait_are_answered_503(fast: Serve) -> None:
    server = fast(
        THREADS,
        shop="""
        import threading
        held, gate = threading.Semaphore(0), threading.Event()

        def hold(request):
            held.release()
            gate.wait(20)
            return "done"

        async def quick(request):
            if request.query:
                gate.set()
                return "open"
            return {"held": held._value}
        """,
    )
    with ThreadPoolExecutor(4) as pool:
        first = [pool.submit(httpx.get, server.url, timeout=30) for _ in range(3)]
        eventually(lambda: httpx.get(f"{server.url}/quick").json() == {"held": 2}, "they did not begin")
        time.sleep(0.1)  # the third one's request is read
        refused = httpx.get(server.url, timeout=30)
        assert refused.status_code == 503
        assert httpx.get(f"{server.url}/quick?open=1").text == "open"
        assert [future.result().text for future in first] == ["done"] * 3


def test_a_handler_that_holds_the_loop_is_named_with_its_stack(fast: Serve, caplog: pytest.LogCaptureFixture) -> None:
    site = "{\n    python {\n        slow 50ms\n    }\n}\n:80 {\n    python shop.py:blocks\n}\n"
    with caplog.at_level(logging.WARNING):
        server = fast(
            site,
            shop="""
            def compute():
                time.sleep(0.6)

            async def blocks(request):
                compute()
                return "done"
            """,
        )
        assert [httpx.get(server.url).text for _ in range(2)] == ["done", "done"]
        server.stop()
    told = [record.getMessage() for record in caplog.records if "holds the event loop" in record.getMessage()]
    assert len(told) == 1, "the second warning about the same handler comes too soon"
    assert told[0].startswith("shop.py:blocks holds the event loop")
    assert "in compute" in told[0]


def test_no_warning_without_a_reason(fast: Serve, caplog: pytest.LogCaptureFixture) -> None:
    server = fast(
        "python shop.py:waits", shop="async def waits(request):\n    await asyncio.sleep(0.6)\n    return 'done'"
    )
    assert httpx.get(server.url).text == "done"
    server.stop()
    assert "holds the event loop" not in caplog.text


# ---- background


BACKGROUND = """
import pathlib
notes = pathlib.Path(__file__).parent / "notes"

def note(text):
    with notes.open("a") as file:
        file.write(text + " ")

async def later(request):
    started = asyncio.Event()

    async def coroutine():
        await started.wait()
        note("coroutine")
        background(note, "of-a-job")

    async def fails():
        raise ValueError("nobody waits for this")

    background(coroutine())
    background(fails)
    background(note, "plain")
    started.set()
    return notes.read_text() if notes.exists() else "nothing yet"

def plain(request):
    background(note, "from-a-thread")
    return "ok"

async def lasting(request):
    async def last():
        await asyncio.sleep(0.3)
        note("at-the-end")
    background(last)
    return "ok"

async def endless(request):
    background(asyncio.sleep, 600)
    return "ok"
"""


def test_background_jobs_run_behind_the_response_and_their_errors_are_logged(
    serve: Serve, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve("python /plain shop.py:plain\npython shop.py:later", shop=BACKGROUND)
    assert httpx.get(server.url).text == "nothing yet"
    assert httpx.get(f"{server.url}/plain").text == "ok"
    wanted = {"coroutine", "plain", "of-a-job", "from-a-thread"}
    notes = tmp_path / "notes"
    eventually(lambda: notes.exists() and set(notes.read_text().split()) == wanted, "a job did not run")
    assert "a background of shop.py:later failed" in caplog.text
    assert "nobody waits for this" in caplog.text


def test_the_server_waits_for_background_jobs_and_not_longer_than_the_grace_period(
    serve: Serve, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    site = "{\n    grace_period 2s\n}\n:80 {\n    python /endless shop.py:endless\n    python shop.py:lasting\n}\n"
    server = serve(site, shop=BACKGROUND)
    assert httpx.get(server.url).text == "ok"
    assert httpx.get(f"{server.url}/endless").text == "ok"
    server.stop()
    assert (tmp_path / "notes").read_text() == "at-the-end "
    assert "1 background jobs were cut off" in caplog.text


def test_more_background_jobs_than_may_be_are_refused(edge: Any) -> None:
    site = "{\n    python {\n        background 2\n    }\n}\n:80 {\n    python shop.py:many\n}\n"
    made = edge(
        site,
        shop="""
        async def many(request):
            for _ in range(int(request.query["n"])):
                background(asyncio.sleep, 5)
            return "ok"
        """,
    )
    assert made.get("/?n=2").text == "ok"
    assert made.get("/?n=1").status == 503
    made.after("6s")
    assert made.get("/?n=2").text == "ok"


def test_what_belongs_to_a_handler_is_nothing_elsewhere() -> None:
    from edgescript.api import background, store, wait

    for call in (lambda: background(print), lambda: wait(None), lambda: asyncio.run(store.get("x"))):
        with pytest.raises(RuntimeError, match="inside handlers"):
            call()  # type: ignore[no-untyped-call]


def test_nothing_is_left_open(no_leaks: None, serve: Serve) -> None:
    server = serve(
        "python /plain shop.py:plain\npython shop.py:index",
        shop="def plain(request): return 'a'\nasync def index(request): return 'b'",
    )
    assert (httpx.get(f"{server.url}/plain").text, httpx.get(server.url).text) == ("a", "b")
    with contextlib.suppress(OSError):
        server.connect().close()
