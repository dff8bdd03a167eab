from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgescript.http.message import HTTPError
from edgescript.observe.access import line_maker


def test_a_line_says_who_asked_for_what_and_what_came_of_it(ended):
    line = line_maker(lambda: 1_700_000_000.25)
    headers = [(b"user-agent", b"curl/8"), (b"referer", b"https://example.org/")]
    text = line(ended(b"/a?b=c", headers))
    assert text.endswith("}\n")
    assert json.loads(text) == {
        "ts": "2023-11-14T22:13:20.250Z",
        "client_ip": "192.0.2.1",
        "method": "GET",
        "host": "example.com",
        "uri": "/a?b=c",
        "protocol": "HTTP/1.1",
        "status": 200,
        "size": 5,
        "duration": 0.001235,
        "user_agent": "curl/8",
        "referer": "https://example.org/",
    }


def test_what_only_some_requests_have(ended):
    exchange = ended()
    exchange.upstream = SimpleNamespace(address="10.0.0.1:80", latency=0.5)
    exchange.error = HTTPError(502, 'the upstream said "no"')
    assert exchange.request_id
    told = json.loads(line_maker()(exchange))
    assert told["upstream"] == "10.0.0.1:80"
    assert told["upstream_latency"] == 0.5
    assert told["error"] == 'the upstream said "no"'
    assert told["request_id"] == exchange.request_id


def test_an_upstream_that_did_not_answer_has_no_latency(ended):
    exchange = ended()
    exchange.upstream = SimpleNamespace(address="10.0.0.1:80", latency=None)
    assert json.loads(line_maker()(exchange))["upstream_latency"] == 0


def test_without_an_answer_the_status_is_0(ended):
    assert json.loads(line_maker()(ended(status=None)))["status"] == 0


def test_the_line_tells_the_request_as_it_came(ended):
    exchange = ended(b"/old")
    exchange.set_uri(b"/new", None)
    exchange.method = b"POST"
    told = json.loads(line_maker()(exchange))
    assert (told["uri"], told["method"]) == ("/old", "GET")


@pytest.mark.parametrize(
    ("referer", "shown"),
    [
        (b"https://user:secret@example.org/a@b", "https://example.org/a@b"),
        (b"https://us@er:secret@example.org", "https://example.org"),
        (b"//user@example.org/", "//example.org/"),
        (b"https://example.org/?mail=a@b", "https://example.org/?mail=a@b"),
        (b"https://example.org/#a@b", "https://example.org/#a@b"),
    ],
)
def test_a_referer_has_no_user_information(ended, referer, shown):
    assert json.loads(line_maker()(ended(headers=[(b"referer", referer)])))["referer"] == shown


def test_credentials_are_not_written(ended):
    headers = [
        (b"authorization", b"Bearer s3cret"),
        (b"cookie", b"session=s3cret"),
        (b"proxy-authorization", b"s3cret"),
    ]
    assert "s3cret" not in line_maker()(ended(headers=headers))


@given(st.binary(max_size=40), st.binary(max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_make_one_line_of_ascii_json(ended, agent, referer):
    exchange = ended(headers=[(b"user-agent", agent), (b"referer", referer)])
    exchange.target = b"/" + agent
    text = line_maker()(exchange)
    assert text.isascii()
    assert text.count("\n") == 1
    assert json.loads(text)["user_agent"] == agent.decode("utf-8", "replace")


def test_a_traced_request_names_its_trace(ended):
    exchange = ended()
    exchange.span = SimpleNamespace(trace_id="a" * 32, span_id="b" * 16)
    told = json.loads(line_maker()(exchange))
    assert (told["trace_id"], told["span_id"]) == ("a" * 32, "b" * 16)


def test_an_absolute_target_has_no_user_information(ended):
    exchange = ended()
    exchange.target = b"http://user:secret@example.com/a@b"
    assert json.loads(line_maker()(exchange))["uri"] == "http://example.com/a@b"


def test_the_time_moves_on(ended):
    times = iter([1_700_000_000.9996, 1_700_000_001.0])
    line = line_maker(lambda: next(times))
    assert [json.loads(line(ended()))["ts"][17:] for _ in range(2)] == ["20.999Z", "21.000Z"]
