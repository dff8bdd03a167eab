"""`app`: ASGI and WSGI applications in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from edgescript.testing import Edge, Unanswered

Serve = Callable[..., Any]

ASGI = """
import json
import pathlib

notes = pathlib.Path(__file__).parent / "notes"

def note(text):
    with notes.open("a") as file:
        file.write(text + " ")

async def app(scope, receive, send):
    await globals()[scope["type"]](scope, receive, send)

async def lifespan(scope, receive, send):
    assert (await receive())["type"] == "lifespan.startup"
    scope["state"]["opened"] = "yes"
    note("up")
    await send({"type": "lifespan.startup.complete"})
    assert (await receive())["type"] == "lifespan.shutdown"
    note("down")
    await send({"type": "lifespan.shutdown.complete"})

async def http(scope, receive, send):
    page = scope["path"].rpartition("/")[2] or "index"
    await globals()[page](scope, receive, send)

async def answer(send, body, headers=(), status=200):
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})

async def index(scope, receive, send):
    shown = {key: value for key, value in scope.items() if isinstance(value, (str, int, list, dict, tuple))}
    shown |= {"raw_path": scope["raw_path"].decode(), "query_string": scope["query_string"].decode()}
    shown["headers"] = {name.decode(): value.decode() for name, value in scope["headers"]}
    await answer(send, json.dumps(shown).encode(), [(b"Content-Type", b"application/json")])

async def echo(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    more = True
    while more:
        message = await receive()
        more = message["more_body"]
        await send({"type": "http.response.body", "body": message["body"], "more_body": more})

async def size(scope, receive, send):
    size, message = 0, await receive()
    while message["more_body"]:
        size += len(message["body"])
        message = await receive()
    await answer(send, str(size + len(message["body"])).encode())

async def fails(scope, receive, send):
    raise ValueError("of no use")

async def fails_midway(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise ValueError("no second half")

async def silent(scope, receive, send):
    pass

async def slow(scope, receive, send):
    note("begun")
    await receive()
    note((await receive())["type"])

async def ticks(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    try:
        while True:
            await send({"type": "http.response.body", "body": b"tick", "more_body": True})
            await asyncio.sleep(0.01)
    except OSError:
        note("gone")
        assert (await receive())["type"] == "http.disconnect"
        note("told")

async def short(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
    await send({"type": "http.response.body", "body": b"1234", "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})

async def twice(scope, receive, send):
    await answer(send, b"once")
    await answer(send, b"twice")

async def empty(scope, receive, send):
    await answer(send, b"", [(b"etag", b'"1"')], 304)

async def cookies(scope, receive, send):
    told = [scope["path"], *(value.decode() for name, value in scope["headers"] if name == b"cookie")]
    await answer(send, json.dumps(told, ensure_ascii=False).encode())

async def bad_head(scope, receive, send):
    await answer(send, b"x", [(b"x-bad", b"a\\r\\nx-second: b")])
"""


def eventually(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def test_the_scope_says_what_is_asked_and_where_the_application_is_mounted(serve: Serve) -> None:
    server = serve("handle_path /shop/* {\napp main.py:app\n}\napp main.py:app", main=ASGI)
    found = httpx.get(f"{server.url}/a%20b/index?x=1&y=2", headers={"X-Level": "3"}).json()
    assert (found["path"], found["raw_path"], found["query_string"]) == ("/a b/index", "/a%20b/index", "x=1&y=2")
    assert (found["method"], found["scheme"], found["root_path"]) == ("GET", "http", "")
    assert found["headers"]["x-level"] == "3"
    assert found["headers"]["host"] == f"127.0.0.1:{server.port}"
    assert found["client"][0] == "127.0.0.1"
    assert found["server"] == ["127.0.0.1", server.port]
    assert found["state"] == {"opened": "yes"}
    mounted = httpx.get(f"{server.url}/shop/a%20b/index").json()
    assert (mounted["path"], mounted["raw_path"], mounted["root_path"]) == (
        "/shop/a b/index",
        "/shop/a%20b/index",
        "/shop",
    )


def test_bodies_stream_both_ways(serve: Serve) -> None:
    server = serve("app main.py:app", main=ASGI)
    body = bytes(range(256)) * 4000
    with httpx.Client(base_url=server.url, timeout=30) as client:
        assert client.post("/size", content=body).text == str(len(body))
        assert client.post("/size", content=iter([body[:5], body[5:]])).text == str(len(body))
        assert client.post("/size").text == "0"
        assert client.post("/echo", content=body[:60_000]).content == body[:60_000]
        assert client.post("/echo", content=b"").content == b""


def test_paths_are_text_and_cookies_are_one_field(serve: Serve) -> None:
    server = serve("app main.py:app", main=ASGI)
    answer = httpx.get(f"{server.url}/%ff%C3%A4/cookies", headers=[("Cookie", "a=1"), ("Cookie", "b=2")])
    assert answer.json() == ["/\ufffdä/cookies", "a=1; b=2"]


def test_what_has_no_body_is_sent_without(serve: Serve) -> None:
    server = serve("app main.py:app", main=ASGI)
    with httpx.Client(base_url=server.url, timeout=30) as client:
        assert client.head("/echo").status_code == 200
        answer = client.get("/empty")
        assert (answer.status_code, answer.headers["etag"], answer.content) == (304, '"1"', b"")
        assert client.get("/index").status_code == 200


def test_the_lifespan_spans_reloads_and_ends_with_the_server(serve: Serve, tmp_path: Path) -> None:
    server = serve("app /x main.py:app\napp main.py:app", main=ASGI)
    notes = tmp_path / "notes"
    assert notes.read_text() == "up "
    server.stop()
    assert notes.read_text() == "up down "


@pytest.mark.parametrize("path", ["/fails", "/silent", "/bad_head"])
def test_an_application_that_fails_before_its_head_is_answered_500(path: str, serve: Serve) -> None:
    server = serve("app main.py:app", main=ASGI)
    assert httpx.get(server.url + path).status_code == 500
    assert httpx.get(server.url).status_code == 200


@pytest.mark.parametrize("path", ["/fails_midway", "/short"])
def test_an_application_that_fails_behind_its_head_breaks_the_connection(
    path: str, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve("app main.py:app", main=ASGI)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(server.url + path)
    eventually(lambda: "a response broke off, in main.py:app" in caplog.text, "it was not logged")


def test_an_application_that_goes_on_behind_its_response_is_told_in_the_log(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve("app main.py:app", main=ASGI)
    assert httpx.get(f"{server.url}/twice").text == "once"
    eventually(lambda: "may not send http.response.start now" in caplog.text, "it was not logged")


def test_the_log_of_an_error_names_the_line_of_the_edgefile(edge: Callable[..., Edge]) -> None:
    with pytest.raises(Unanswered, match=r"of no use.*`app main.py:app` \(.*Edgefile:2:1\)"):
        edge("app main.py:app", main=ASGI).get("/fails")


def test_a_client_that_leaves_reaches_the_application(serve: Serve, tmp_path: Path) -> None:
    server = serve("app main.py:app", main=ASGI)
    notes = tmp_path / "notes"
    with server.connect() as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        eventually(lambda: "begun" in notes.read_text(), "it did not begin")
    eventually(lambda: "http.disconnect" in notes.read_text(), "it was not told")


def test_a_client_that_leaves_ends_a_stream(fast: Serve, tmp_path: Path) -> None:
    server = fast("app main.py:app", main=ASGI)
    notes = tmp_path / "notes"
    with server.connect() as client:
        client.sendall(b"GET /ticks HTTP/1.1\r\nHost: x\r\n\r\n")
        client.recv(1000)
    eventually(lambda: "gone told" in notes.read_text(), "it was not told")


def test_an_application_that_is_too_slow_is_answered_504(edge: Callable[..., Edge], tmp_path: Path) -> None:
    made = edge("app main.py:app {\ntimeout 2s\n}", main=ASGI)
    assert made.get("/slow").status == 504
    assert (tmp_path / "notes").read_text() == "up begun http.disconnect "


def test_a_body_that_is_too_large_is_answered_413(serve: Serve) -> None:
    server = serve("request_body {\nmax_size 1KB\n}\napp main.py:app", main=ASGI)
    assert httpx.post(f"{server.url}/size", content=iter([b"x" * 600, b"x" * 600])).status_code == 413


FAILING = """
async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})

async def never(scope, receive, send):
    if scope["type"] == "lifespan":
        await asyncio.sleep(60)

number = 7

def make():
    raise OSError("no disk")
"""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("main.py:app", "the application's startup failed: no database"),
        ("main.py:never {\nstartup_timeout 50ms\n}", "startup takes longer than 0.05 s"),
        ("main.py:number", "it is a value of type int, and no application"),
        ("main.py:number {\nfactory\n}", "it is a value of type int, and no factory"),
        ("main.py:make {\nfactory\n}", "OSError: no disk"),
        ("main.py:other", "has no 'other'"),
    ],
)
def test_an_application_that_does_not_start_is_a_problem_at_its_line(
    line: str, message: str, compiled: Any, failure: Any
) -> None:
    problem = failure(compiled(f"app {line}", main=FAILING)).problem
    assert message in problem.message
    assert str(problem.span).endswith("Edgefile:2:1")


def test_an_application_without_lifespan_is_served(edge: Callable[..., Edge]) -> None:
    main = """
    async def app(scope, receive, send):
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"served"})
    """
    assert edge("app main.py:app", main=main).get("/").text == "served"


def test_a_factory_makes_the_application_once(edge: Callable[..., Edge]) -> None:
    main = (
        ASGI
        + "\nmade = 0\ndef make():\n    global made\n    made += 1\n    return app\nasync def count(request): return str(made)"
    )
    made = edge("python /made main.py:count\napp main.py:make {\nfactory\n}", main=main)
    assert [made.get("/index").status for _ in range(3)] == [200] * 3
    assert made.get("/made").text == "1"


# ---- WSGI

WSGI = """
from wsgiref.validate import validator

def plain(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    said = [environ[name] for name in ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "HTTP_X_LEVEL")]
    start_response("200 OK", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    return [" ".join(said).encode(), b" %d" % len(body)]

strict = validator(plain)

def shows(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/plain; charset=latin-1")])
    names = ("PATH_INFO", "QUERY_STRING", "HTTP_COOKIE", "HTTP_X_REAL_IP", "HTTP_TRANSFER_ENCODING")
    return [repr([environ.get(name) for name in names]).encode("latin-1"), b" ", body]

def empty(environ, start_response):
    start_response("304 Not Modified", [("ETag", '"1"')])
    return []

def writes(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"written ")
    return [b"and given"]

def late(environ, start_response):
    def pieces():
        start_response("201 Created", [("Content-Type", "text/plain")])
        yield b"late"
    return pieces()

def fails(environ, start_response):
    raise ValueError("of no use")

def silent(environ, start_response):
    return [b"x"]

def mends(environ, start_response):
    start_response("200 OK", [])
    try:
        1 / 0
    except ZeroDivisionError:
        import sys
        start_response("418 Teapot", [("Content-Type", "text/plain")], sys.exc_info())
    return [b"mended"]

class Pieces:
    closed = 0
    def __init__(self): self.left = 2000
    def __iter__(self): return self
    def __next__(self):
        self.left -= 1
        if self.left < 0:
            raise StopIteration
        return bytes(65536)
    def close(self): Pieces.closed += 1

def large(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return Pieces()

def closed(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(Pieces.closed).encode()]
"""


def wsgi(serve: Serve, *names: str) -> Any:
    lines = "\n".join(f"app /{name}* main.py:{name}" for name in names)
    return serve(f"handle_path /mounted/* {{\napp main.py:plain\n}}\n{lines}", main=WSGI)


def test_a_wsgi_application_finds_its_environment_and_its_body(serve: Serve) -> None:
    server = wsgi(serve, "plain", "strict")
    with httpx.Client(base_url=server.url, headers={"X-Level": "3"}, timeout=30) as client:
        answer = client.post("/plain/a?x=1", content=b"12345")
        assert answer.text == "POST  /plain/a x=1 3 5"
        assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
        assert client.get("/mounted/sub/page").text == "GET /mounted /sub/page  3 0"
        assert client.post("/plain", content=b"x" * 3_000_000).text == "POST  /plain  3 3000000"
        assert client.get("/strict/a?x=1").text == "GET  /strict/a x=1 3 0"


def test_whatever_bytes_a_client_sends_a_wsgi_application_is_told_as_wsgi_has_it(serve: Serve, engine: str) -> None:
    server = wsgi(serve, "shows")
    two = [("Cookie", "a=1"), ("Cookie", "b=2"), ("X-Real-IP", "1.1.1.1"), ("X_Real_IP", "6.6.6.6")]
    with httpx.Client(base_url=server.url, timeout=30) as client:
        assert client.get("/shows/%ff%C3%A4", headers=two).text == repr(
            ["/shows/\xff\xc3\xa4", "", "a=1; b=2", "1.1.1.1", None]
        ).replace("\\xff", "\xff") + " "  # fmt: skip
        answer = client.post("/shows?x=1", content=iter([b"in ", b"chunks"])).text
        assert answer == "['/shows', 'x=1', None, None, None] in chunks"
    if engine == "fast":  # hypercorn takes no such target
        with server.connect() as client:
            client.sendall(b"GET /shows?\xe4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert b"'/shows', '\xe4'" in b"".join(iter(lambda: client.recv(65536), b""))


def test_whatever_way_a_wsgi_application_answers(serve: Serve) -> None:
    server = wsgi(serve, "empty", "writes", "late", "fails", "silent", "mends")
    with httpx.Client(base_url=server.url, timeout=30) as client:
        answers = {name: client.get(f"/{name}") for name in ("empty", "writes", "late", "fails", "silent", "mends")}
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "empty": 304, "writes": 200, "late": 201, "fails": 500, "silent": 500, "mends": 418,
    }  # fmt: skip
    assert answers["empty"].headers["etag"] == '"1"'
    assert [answers[name].text for name in ("writes", "late", "mends")] == ["written and given", "late", "mended"]


def test_a_wsgi_application_is_held_back_by_its_client_and_closed_when_that_leaves(serve: Serve) -> None:
    server = wsgi(serve, "large", "closed")
    with server.connect() as client:
        client.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        client.recv(1000)
        time.sleep(0.1)
        assert httpx.get(f"{server.url}/closed").text == "0"
    eventually(lambda: httpx.get(f"{server.url}/closed", timeout=30).text == "1", "it was not closed")
    with httpx.stream("GET", f"{server.url}/large", timeout=30) as answer:
        assert sum(len(piece) for piece in answer.iter_raw()) == 2000 * 65536


def test_wsgi_requests_run_beside_each_other(fast: Serve) -> None:
    server = fast(
        "app main.py:meet",
        main="""
        import threading
        barrier = threading.Barrier(4)

        def meet(environ, start_response):
            barrier.wait(20)
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"met"]
        """,
    )
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(httpx.get(server.url, timeout=30).text)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["met"] * 4


def test_what_an_application_speaks_can_be_said(edge: Callable[..., Edge]) -> None:
    main = """
    class Double:
        def __call__(self, scope, receive, send):
            async def answer():
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": b"asgi"})
            return answer()
    app = Double()
    """
    assert edge("app main.py:app {\ninterface asgi\n}", main=main).get("/").text == "asgi"


@pytest.mark.anyio
async def test_an_application_that_did_not_change_is_not_started_again(compiled: Any, tmp_path: Path) -> None:
    from edgescript.graph.shared import Shared

    shared, notes = Shared(), tmp_path / "notes"
    async with anyio.create_task_group() as tasks:
        first = compiled("app main.py:app", shared, main=ASGI)
        await first.start(tasks)
        second = compiled("header X-New yes\napp main.py:app", shared)
        await second.start(tasks)
        await first.close()
        assert notes.read_text() == "up "
        third = compiled("app main.py:app", shared, main=f"{ASGI}\n# changed\n")
        await third.start(tasks)
        assert notes.read_text() == "up up "
        await second.close()
        assert notes.read_text() == "up up down "
        await third.close()
        assert notes.read_text() == "up up down down "
        tasks.cancel_scope.cancel()
