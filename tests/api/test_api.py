"""`edgescript.api`, as handlers see it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import edgescript.api as api
from edgescript.api import Headers, HTTPError, Response, Values
from edgescript.testing import Edge

SHOWS = """
from edgescript.api import *

async def show(request):
    return {
        "method": request.method,
        "url": request.url,
        "path": request.path,
        "host": request.host,
        "scheme": request.scheme,
        "version": request.version,
        "ip": request.client_ip,
        "query": {name: request.query.every(name) for name in request.query},
        "headers": {name: request.headers.every(name) for name in request.headers},
        "cookies": dict(request.cookies),
        "vars": request.vars,
        "captures": dict(request.captures),
        "id": request.id,
    }
"""


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Callable[..., Edge]]:
    made: list[Edge] = []

    def make(site: str, handlers: str) -> Edge:
        (tmp_path / "h.py").write_text(handlers)
        made.append(Edge(tmp_path / "Edgefile", text=f":80 {{\n{site}\n}}\n", environment={}))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_request_says_everything_about_itself(edge: Callable[..., Edge]) -> None:
    site = "@number path_regexp n ^/things/(\\d+)\nvars level 3\npython @number h.py:show"
    made = edge(site, SHOWS)
    headers = [("Cookie", 'a=1; b="two"; a=3'), ("X-Many", "1"), ("x-many", "2"), ("Cookie", "c=ü; broken")]
    found = made.get(
        "http://Shop.example.com:80/things/7/a%20b?x=1&y=&x=%C3%BC", headers=headers, ip="192.0.2.7"
    ).json()
    identity = found.pop("id")
    assert len(identity) == 36
    assert found == {
        "method": "GET",
        "url": "http://shop.example.com:80/things/7/a%20b?x=1&y=&x=%C3%BC",
        "path": "/things/7/a b",
        "host": "shop.example.com",
        "scheme": "http",
        "version": "1.1",
        "ip": "192.0.2.7",
        "query": {"x": ["1", "ü"], "y": [""]},
        "headers": {
            "host": ["Shop.example.com:80"],
            "cookie": ['a=1; b="two"; a=3', "c=ü; broken"],
            "x-many": ["1", "2"],
        },
        "cookies": {"a": "1", "b": "two", "c": "ü"},
        "vars": {"level": 3},
        "captures": {"0": "/things/7", "1": "7", "n.0": "/things/7", "n.1": "7"},
    }


BODIES = """
from edgescript.api import *

async def text(request):
    first = await request.body()
    assert request.content == await request.body() == first
    return first

async def small(request): return await request.body(4)
async def json(request): return {"got": await request.json()}
async def form(request): return {name: (await request.form()).every(name) for name in await request.form()}
async def pieces(request): return b"|".join([piece async for piece in request.stream()])
async def early(request): return request.content
def plain(request): return request.content
"""


@pytest.mark.parametrize(
    ("path", "body", "kind", "status", "answer"),
    [
        ("/text", b"some", "", 200, "some"),
        ("/plain", b"some", "", 200, "some"),
        ("/pieces", b"some", "", 200, "some"),
        ("/pieces", b"", "", 200, ""),
        ("/early", b"some", "", 200, "some"),
        ("/small", b"1234", "", 200, "1234"),
        ("/small", b"12345", "", 413, None),
        ("/json", b'{"a": [1]}', "", 200, '{"got":{"a":[1]}}'),
        ("/json", b"{", "", 400, None),
        ("/json", b"[" * 100_000, "", 400, None),
        ("/json", b"\xff", "", 400, None),
        (
            "/form",
            b"a=1&b=&a=%C3%BC+x",
            "application/x-www-form-urlencoded; charset=utf-8",
            200,
            '{"a":["1","ü x"],"b":[""]}',
        ),
        ("/form", b"a=1", "text/plain", 415, None),
        ("/form", b"&".join([b"a=1"] * 1001), "application/x-www-form-urlencoded", 400, None),
    ],
)
def test_bodies(path: str, body: bytes, kind: str, status: int, answer: str | None, edge: Callable[..., Edge]) -> None:
    site = "\n".join(
        f"python /{name} h.py:{name}" for name in ("text", "small", "json", "form", "pieces", "early", "plain")
    )
    found = edge(site, BODIES).post(path, body=body, headers={"Content-Type": kind} if kind else {})
    assert found.status == status
    assert answer is None or found.text == answer


def test_a_query_with_too_many_parameters_is_refused(edge: Callable[..., Edge]) -> None:
    made = edge("python h.py:f", "async def f(request): return dict(request.query)")
    assert made.get("/?" + "&".join(["a=1"] * 1001)).status == 400


STORES = """
from edgescript.api import *
shop = Store("shop")

async def use(request):
    seen = [await store.get("x"), await shop.get("x")]
    await store.set("x", "text")
    await shop.set("x", b"bytes", ttl=10)
    seen += [await store.get("x"), await shop.get("x"), await store.add("x", "no"), await store.add("y", "yes")]
    seen += [await shop.increment("n"), await shop.increment("n", 4)]
    seen.append(await shop.update("x", lambda value: (value + b"!", "changed")))
    seen += [sorted([key async for key in shop.keys()]), await store.delete("y"), await store.delete("y")]
    return repr(seen)

async def later(request): return repr(await shop.get("x"))

def plain(request): return str(wait(store.increment("plain")))
"""


def test_values_are_kept_in_the_storage_by_namespace(edge: Callable[..., Edge]) -> None:
    made = edge("python /use h.py:use\npython /plain h.py:plain\npython h.py:later", STORES)
    expected = [None, None, b"text", b"bytes", False, True, 1, 5, "changed", ["n", "x"], True, False]
    assert made.get("/use").text == repr(expected)
    assert made.get("/").text == repr(b"bytes!")
    assert [made.get("/plain").text for _ in range(2)] == ["1", "2"]


SPANS = """
from edgescript.api import *

class Traced:
    sampled = True
    trace_id = span_id = "0"
    def __init__(self, name, log): self.name, self.log = name, log
    def child(self, name):
        self.log.append(f"{self.name}>{name}")
        return Traced(name, self.log)
    def set(self, name, value): self.log.append(f"{self.name}.{name}={value}")
    def end(self, error=None): self.log.append(f"end {self.name} {error}")

log = []

async def trace(request, next):
    request.exchange.span = Traced("request", log)
    return await next(request)

async def work(request):
    with span("outer", n=1):
        with span("inner") as inner:
            inner.set("found", True)
        try:
            with span("fails"):
                raise ValueError("no")
        except ValueError:
            pass
    return "ok"

async def untraced(request):
    with span("x") as nothing:
        return repr(nothing)

async def seen(request): return log
"""


def test_spans_nest_and_end_with_what_is_inside(edge: Callable[..., Edge]) -> None:
    made = edge("python /seen h.py:seen\npython /no h.py:untraced\npython h.py:trace wrap\npython h.py:work", SPANS)
    assert made.get("/no").text == "None"
    assert made.get("/").text == "ok"
    assert made.get("/seen").json() == [
        "request>python h.py:work",
        "python h.py:work>outer",
        "outer.n=1",
        "outer>inner",
        "inner.found=True",
        "end inner None",
        "outer>fails",
        "end fails ValueError: no",
        "end outer None",
        "end python h.py:work None",
    ]


# ---- values


def test_what_is_public_is_there_and_documented() -> None:
    for name in api.__all__:
        assert getattr(api, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        api.nothing  # noqa: B018


def test_headers_are_found_in_any_case_and_changed_in_place() -> None:
    raw = [(b"x-a", b"1"), (b"set-cookie", b"a"), (b"set-cookie", b"b")]
    headers = Headers(raw)
    assert (headers["X-A"], headers.get("x-b"), "SET-COOKIE" in headers, len(headers)) == ("1", None, True, 2)
    assert headers.every("Set-Cookie") == ["a", "b"]
    headers["X-A"] = "ü\r\nX-Evil: 1"
    headers.add("Set-Cookie", "c")
    del headers["nothing" if "nothing" in headers else "X-a"]
    assert raw == [(b"set-cookie", b"a"), (b"set-cookie", b"b"), (b"set-cookie", b"c")]
    with pytest.raises(KeyError):
        del headers["x-a"]
    with pytest.raises(KeyError):
        headers["x-a"]
    for name in ("", "a b", "ü", "x:", "a\r\nb"):
        with pytest.raises(ValueError, match="is no name of a header field"):
            headers[name] = "x"


@given(st.text())
def test_no_value_of_a_header_can_begin_another_field(value: str) -> None:
    headers = Headers([])
    headers["x"] = value
    assert not set(headers.raw[0][1]) & set(b"\r\n\0")


@pytest.mark.parametrize("status", [0, 100, 101, 199, 600])
def test_a_status_that_is_none_is_refused(status: int) -> None:
    with pytest.raises(ValueError, match="no status"):
        Response("x", status)
    with pytest.raises(ValueError, match="no status"):
        HTTPError(status)
    with pytest.raises(ValueError, match="no status"):
        Response("x").status = status


@pytest.mark.parametrize("content", [None, 7, {"a": 1}, object()])
def test_content_that_cannot_be_sent_is_refused(content: Any) -> None:
    with pytest.raises(TypeError, match="the content of a response"):
        Response(content)


def test_responses_as_values() -> None:
    assert Response.redirect("/x").headers["location"] == "/x"
    assert json.loads(Response.json(["ü", None]).raw.body) == ["ü", None]  # type: ignore[arg-type]
    assert Response.json(1, headers={"Content-Type": "application/vnd.x+json"}).headers.every("content-type") == [
        "application/vnd.x+json"
    ]
    assert Response("x", headers=[("Set-Cookie", "a"), ("Set-Cookie", "b")]).headers.every("set-cookie") == ["a", "b"]
    with pytest.raises(TypeError):
        Response.json(object())


def test_values_give_the_first_and_every() -> None:
    values = Values([("a", "1"), ("b", "2"), ("a", "3")])
    assert (values["a"], values.every("a"), values.every("c"), list(values), len(values)) == (
        "1",
        ["1", "3"],
        [],
        ["a", "b"],
        2,
    )
    with pytest.raises(KeyError):
        values["c"]
