"""How tests of an Edgefile run, and what they say when something else came."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from edgescript.testing.check import Report
from edgescript.testing.standin import Received

Check = Callable[[str], Report]
Talk = Callable[[Sequence[bytes]], tuple[bytes, list[Received]]]

SITE = """
:80 {
    header X-One 1
    handle /hello {
        respond 201 "hello there"
    }
    handle /gone {
        abort
    }
    handle /api/* {
        proxy 10.0.0.1:8080
    }
}
"""


def failures(run_tests: Check, body: str) -> list[str]:
    report = run_tests(f'{SITE}\ntest "it" {{\n{body}\n}}\n')
    assert not report.problems, str(report)
    return [failure.message for _, found in report.results for failure in found]


@pytest.mark.parametrize(
    "body",
    [
        "request GET http://localhost/hello\nexpect status 201\nexpect status 2xx",
        'request GET /hello\nexpect body "hello there"\nexpect body hello*\nexpect body *there\nexpect body *lo\\ th*',
        "request GET /hello\nexpect header X-One\nexpect header x-one 1\nexpect header !X-Two",
        'request HEAD /hello\nexpect status 201\nexpect body ""',
        "request GET /gone\nexpect abort",
        "request GET /nowhere\nexpect status 404",
        "request GET /nowhere\nheader Host two.example\nexpect status 404",
    ],
)
def test_what_is_as_expected_does_not_fail(run_tests: Check, body: str) -> None:
    assert failures(run_tests, body.replace("*lo\\ th*", '"*lo th*"')) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("request GET /hello\nexpect status 404", "expected status 404; there came status 201"),
        ("request GET /hello\nexpect body bye", "expected body bye; there came 'hello there'"),
        ("request GET /hello\nexpect header X-One 2", "expected header X-One 2; there came x-one: 1"),
        ("request GET /hello\nexpect header !X-One", "expected header !X-One; there came x-one: 1"),
        ("request GET /hello\nexpect abort", "expected abort; there came an answer: 201"),
        ("request GET /gone\nexpect status 200", "there came the connection was closed without an answer"),
        ("request GET /hello\nexpect upstream 10.0.0.1:8080", "there came no upstream was asked"),
        ("request GET /hello\nexpect upstream uri /", "there came no stand-in upstream was asked"),
        ("request GET http://localhost:81/\nexpect status 200", "nothing listens on port 81"),
    ],
)
def test_what_came_instead_is_told(run_tests: Check, body: str, message: str) -> None:
    (told,) = failures(run_tests, body)
    assert message in told


def test_a_stand_in_answers_for_an_upstream_and_remembers_what_it_was_sent(run_tests: Check) -> None:
    body = """
        upstream 10.0.0.1:8080 {
            status 202
            header X-From stand-in
            body   "queued"
        }
        request POST /api/things?now=1
        header  X-Custom yes
        body    "a thing"
        expect  status 202
        expect  body queued
        expect  header X-From stand-in
        expect  upstream 10.0.0.1:8080
        expect  upstream method POST
        expect  upstream uri /api/things?now=1
        expect  upstream header X-Custom yes
        expect  upstream body "a thing"
    """
    assert failures(run_tests, body) == []


def test_a_stand_in_that_fails_cannot_be_reached(run_tests: Check) -> None:
    body = "upstream 10.0.0.1:8080 {\n    fail\n}\nrequest GET /api/\nexpect status 502"
    assert failures(run_tests, body) == []


def test_an_upstream_without_stand_in_is_never_really_asked(run_tests: Check) -> None:
    assert failures(run_tests, "request GET /api/\nexpect status 502") == []


def test_a_file_with_errors_runs_no_test(run_tests: Check) -> None:
    report = run_tests(':80 {\n    nothing\n}\ntest "it" {\n    request GET /\n    expect status 200\n}\n')
    assert [problem.code for problem in report.problems] == ["E101"]
    assert not report.results
    assert str(report).startswith("Edgefile:2:5: E101 ")


def test_a_stand_in_reads_a_request_in_pieces_with_any_framing(talk: Talk) -> None:
    sent = [
        b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Enc",
        b"oding: chunked\r\n\r\n3\r\nabc\r",
        b"\n2\r\nde\r\n0\r\n\r\nGET /b ",
    ]
    sent += [b"HTTP/1.1\r\nHost: x\r\n\r\nPUT /c HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nx", b"yz"]
    answer, received = talk(sent)
    assert [(one.method, one.uri, one.body) for one in received] == [
        ("POST", "/a", b"abcde"),
        ("GET", "/b", b""),
        ("PUT", "/c", b"xyz"),
    ]
    assert answer.count(b"HTTP/1.1 200 Stand-In\r\n") == 3
    assert answer.count(b"HTTP/1.1 100 Continue\r\n\r\n") == 1


def test_a_stand_in_refuses_what_is_no_request(talk: Talk) -> None:
    answer, received = talk([b"GET / HTTP/1.1\nHost: x\n\n\r\n\r\n"])
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert received == []
