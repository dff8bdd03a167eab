"""How `test` blocks are read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edgescript.testing.scenario import Scenario, request_for
from edgescript.text.source import Source, Span

Read = Callable[[str], tuple[list[Scenario], list[str]]]

NOWHERE = Span(Source("x", ""), 0, 0)


def test_lines_belong_to_the_request_above_them(read: Read) -> None:
    (scenario,), wrong = read(
        """
        request GET http://a.example/x?y=1
        header  Accept text/html
        expect  status 200
        request POST http://b.example:8080/
        body    "text"
        repeat  3
        expect  header Location /new
        """
    )
    assert not wrong
    first, second = scenario.requests
    assert (first.method, first.authority, first.target, first.port) == ("GET", "a.example", "/x?y=1", None)
    assert first.headers == [("Accept", "text/html")]
    assert (second.authority, second.port, second.body, second.repeat) == ("b.example:8080", 8080, "text", 3)
    assert [(each.subject, each.arguments) for each in second.expectations] == [("header", ("Location", "/new"))]


def test_a_stand_in_says_what_an_upstream_answers(read: Read) -> None:
    (scenario,), wrong = read(
        """
        upstream 127.0.0.1:9000 {
            status 503
            header Retry-After 5
            body   "busy"
        }
        upstream 127.0.0.1:9001 {
            fail
        }
        request GET /
        expect upstream uri /
        """
    )
    assert not wrong
    busy, down = scenario.upstreams
    assert (busy.address, busy.status, busy.headers, busy.body) == (
        "127.0.0.1:9000",
        503,
        [("Retry-After", "5")],
        "busy",
    )
    assert down.fails
    assert scenario.requests[0].expectations[0].subject == "upstream uri"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("exepct status 200", 'a test has no "exepct"'),
        ("request GET", '"request" needs 2 words'),
        ("request GET / more", '"request" takes 2 words'),
        ("request GET ftp://x/", "a URL begins with http://"),
        ("request GET http://x:port/", "a port is a number from 1 to 65535"),
        ("repeat none", "a number from 1 to 10000 is expected"),
        ("repeat 10001", "a number from 1 to 10000 is expected"),
        ("header Bad:Name x", "not a header field name"),
        ('header X "a\\nb"', "the value of a header field has no control characters"),
        ("expect status 20", "a status as 404, or a class as 5xx, is expected"),
        ("expect status", "what is expected of the status?"),
        ("expect mood good", 'nothing is known about "mood" to expect'),
        ("expect body ~(", "a malformed regular expression: missing )"),
        ("expect not", 'nothing is known about "not" to expect'),
        ("expect not mood good", 'nothing is known about "mood" to expect'),
        ("expect route", "what is expected of the route?"),
        ("from here", "an IP address such as 203.0.113.9 is expected"),
        ("request G@T /", "'G@T' is no method"),
        ("request GET / {\n }", '"request" takes no block'),
        ("at noon\nrequest GET /", "a time such as 2026-01-31T12:00:00Z is expected"),
        ("after 10\nrequest GET /", "expected a duration such as 10s"),
        ("after 10s", "the clock is set and moved before a request: there is none below"),
        ("upstream 127.0.0.1:1 {\n delay soon\n }", "expected a duration such as 10s"),
        ("upstream 127.0.0.1:1 {\n status 100\n }", "a status from 200 to 599 is expected"),
        ("upstream 127.0.0.1:1 {\n answer 1\n }", 'a stand-in upstream has no "answer"'),
    ],
)
def test_a_wrong_line_is_reported_and_left_out(read: Read, line: str, message: str) -> None:
    (scenario,), wrong = read(f"request GET /\nexpect status 200\n{line}")
    assert len(wrong) == 1
    assert message in wrong[0]
    assert scenario.requests[0].repeat == 1


def test_the_clock_is_moved_before_the_request_below(read: Read) -> None:
    (scenario,), wrong = read(
        """
        at      2026-01-01T00:00:00Z
        after   1m
        request GET /
        from    ::1
        expect  status 200
        after   1h
        request GET /
        expect  not status 200
        """
    )
    assert not wrong
    first, second = scenario.requests
    assert [(move.at, move.seconds) for move in first.moves] == [(1767225600.0, 0.0), (None, 60.0)]
    assert [(move.at, move.seconds) for move in second.moves] == [(None, 3600.0)]
    assert (first.ip, second.ip) == ("::1", "127.0.0.1")
    assert second.expectations[0].negated


def test_what_belongs_to_a_request_cannot_stand_before_it(read: Read) -> None:
    _, wrong = read('body "x"\nrequest GET /\nexpect status 200')
    assert wrong == ['"body" stands behind the request that it belongs to']


def test_a_test_that_expects_nothing_is_reported(read: Read) -> None:
    assert read("request GET /")[1] == ["a test needs a request and something to expect"]


@pytest.mark.parametrize(
    ("url", "scheme", "authority", "target"),
    [
        ("http://a.example", "http", "a.example", "/"),
        ("http://user@a.example/x", "http", "a.example", "/x"),
        ("https://a.example:8443/?", "https", "a.example:8443", "/?"),
        ("/path?q", None, "", "/path?q"),
        ("//a.example/x", None, "", "//a.example/x"),
        ("/a//b:x@c/", None, "", "/a//b:x@c/"),
        ("http://[::1]:80/", "http", "[::1]:80", "/"),
    ],
)
def test_a_url_is_taken_apart(url: str, scheme: str | None, authority: str, target: str) -> None:
    request = request_for("GET", url, NOWHERE)
    assert (request.scheme, request.authority, request.target) == (scheme, authority, target)


def test_lines_below_a_request_that_cannot_be_read_are_not_to_blame(read: Read) -> None:
    _, wrong = read(
        """
        request GET
        header Accept text/html
        expect status 200
        """
    )
    assert len(wrong) == 1
