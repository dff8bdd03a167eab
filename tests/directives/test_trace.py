"""`trace`: which requests are recorded, what is passed on, and what spans say."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from edgescript.observe.tracing.export import Exporter
from edgescript.observe.tracing.spans import Record
from edgescript.testing import Edge, Reply

T, S = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
RECORDED, PASSED = f"00-{T}-{S}-01", f"00-{T}-{S}-00"
GLOBAL = "{\ntracing {\nendpoint http://127.0.0.1:4318/v1/traces\n}\n}\n"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> list[Record]:
    """The spans that would be sent."""
    taken: list[Record] = []
    monkeypatch.setattr(Exporter, "take", lambda self, record: taken.append(record))
    return taken


@pytest.fixture
def edge() -> Callable[[str], Edge]:
    return lambda lines: Edge(text=f"{GLOBAL}:80 {{\n{lines}\n}}\n", environment={})


def trace(*options: str) -> str:
    return "trace {\n" + "\n".join(options) + "\n}"


@pytest.mark.parametrize(
    ("options", "traceparent", "status", "recorded"),
    [
        (("sample 100%",), None, 200, True),
        (("sample 0%",), None, 200, False),
        (("sample 0%",), RECORDED, 200, True),
        (("sample 100%",), PASSED, 200, False),
        (("sample 0%", "parent off"), RECORDED, 200, False),
        (("sample 100%", "parent off"), PASSED, 200, True),
        (("sample 0%",), None, 500, True),
        (("sample 0%",), PASSED, 503, True),
        (("sample 0%",), None, 404, False),
        (("sample 0%", "errors off"), None, 500, False),
    ],
)
def test_which_requests_are_recorded(
    edge: Any, spans: list[Record], options: tuple[str, ...], traceparent: str | None, status: int, recorded: bool
) -> None:
    headers = {} if traceparent is None else {"traceparent": traceparent}
    edge(f"{trace(*options)}\nrespond {status}").get("/", headers=headers)
    assert len(spans) == recorded
    if recorded and traceparent is not None:
        assert (spans[0].trace_id, spans[0].parent_id) == (T, S)


def test_a_span_says_what_was_asked_and_what_came_of_it(edge: Any, spans: list[Record]) -> None:
    site = edge(trace("sample 100%", "span {method}-page", "attribute app.x {header.X-App}") + "\nrespond /x 503 hello")
    site.get("/x?token=SECRET", headers={"X-App": "shop", "User-Agent": "curl/8"}, ip="10.1.1.1")
    span = spans[0]
    assert (span.name, span.kind, span.parent_id) == ("GET-page", "server", "")
    assert span.attributes["http.request.method"] == "GET"
    assert span.attributes["url.path"] == "/x"
    assert span.attributes["http.response.status_code"] == 503
    assert span.attributes["error.type"] == "503"
    assert span.attributes["client.address"] == "10.1.1.1"
    assert span.attributes["user_agent.original"] == "curl/8"
    assert span.attributes["app.x"] == "shop"
    assert span.error is not None
    assert "SECRET" not in repr(span)


def test_each_attempt_of_a_proxy_is_a_span_that_the_server_behind_belongs_to(edge: Any, spans: list[Record]) -> None:
    site = edge(trace("sample 100%") + "\nproxy 10.0.0.1:80 10.0.0.2:80 {\nbalance first\n}")
    site.upstream("10.0.0.1:80", fail=True)
    behind = site.upstream("10.0.0.2:80", Reply(201))
    site.get("/", headers={"traceparent": RECORDED, "tracestate": "a=1"})
    failed, answered, root = spans
    assert [span.kind for span in spans] == ["client", "client", "server"]
    assert failed.parent_id == answered.parent_id == root.span_id
    assert failed.error is not None
    assert answered.error is None
    assert answered.attributes["http.response.status_code"] == 201
    assert answered.attributes["server.address"] == "10.0.0.2"
    sent = {name.lower(): value for name, value in behind.received[0].headers}
    assert sent["traceparent"] == f"00-{T}-{answered.span_id}-01"
    assert sent["tracestate"] == "a=1"


@pytest.mark.parametrize(
    ("formats", "given", "sent"),
    [
        ("w3c", {}, {"traceparent": r"00-[0-9a-f]{32}-[0-9a-f]{16}-00"}),
        ("w3c", {"traceparent": PASSED}, {"traceparent": PASSED}),
        ("w3c", {"traceparent": RECORDED}, {"traceparent": f"00-{T}-{S}-00"}),
        ("b3", {}, {"b3": r"[0-9a-f]{32}-[0-9a-f]{16}-0"}),
        ("jaeger w3c", {"uber-trace-id": f"{T}:{S}:0:1"}, {"uber-trace-id": f"{T}:{S}:0:0", "traceparent": PASSED}),
        ("w3c b3multi", {"traceparent": RECORDED}, {"traceparent": PASSED, "x-b3-traceid": T, "x-b3-sampled": "0"}),
    ],
)
def test_a_trace_that_is_not_recorded_is_passed_on(
    edge: Any, spans: list[Record], formats: str, given: dict[str, str], sent: dict[str, str]
) -> None:
    site = edge(trace("sample 0%", "parent off", f"propagate {formats}") + "\nproxy 10.0.0.1:80")
    behind = site.upstream("10.0.0.1:80", Reply(200))
    site.get("/", headers={**given, "baggage": "a=1"})
    got = {name.lower(): value for name, value in behind.received[0].headers}
    for name, pattern in sent.items():
        assert re.fullmatch(pattern, got[name]), got
    assert got["baggage"] == "a=1"
    assert spans == []


@pytest.mark.parametrize("traceparent", [None, PASSED])
def test_the_span_that_a_log_has_of_a_failure_is_the_one_that_is_recorded(
    edge: Any, spans: list[Record], traceparent: str | None
) -> None:
    headers = {} if traceparent is None else {"traceparent": traceparent}
    response = edge(f"{trace('sample 0%')}\nheader Span {{span_id}}\nrespond 500").get("/", headers=headers)
    assert response.headers["span"] == spans[0].span_id != S


def test_without_a_collector_nothing_is_recorded_and_traces_pass(spans: list[Record]) -> None:
    site = Edge(text=":80 {\ntrace {\nsample 100%\n}\nrespond {trace_id}{span_id}\n}\n", environment={})
    assert site.get("/", headers={"traceparent": RECORDED}).text == T + S
    assert len(site.get("/").text) == 48
    assert spans == []


def test_placeholders_are_empty_without_a_trace(edge: Any) -> None:
    assert edge("respond a{trace_id}{span_id}{baggage.x}").get("/").text == "a"
    assert edge("respond {baggage.x}").get("/", headers={"baggage": "x=a%20b"}).text == "a b"
