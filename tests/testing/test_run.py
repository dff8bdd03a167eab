"""How tests of an Edgefile run, and what they say when something else came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

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
        proxy 10.0.0.1:8080 {
            response_header_timeout 10s
        }
    }
    handle /now {
        @inside client_ip 10.0.0.0/8
        respond @inside "inside"
        respond "{time.now}"
    }
    handle /broken {
        broken
    }
    handle /endless {
        endless
    }
    handle_errors 504 {
        respond "too slow"
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
        "request GET /hello\nexpect body ~^hel+o\nexpect header X-One ~[0-9]\nexpect not body ~^there",
        "request GET /hello\nexpect not status 404\nexpect not abort\nexpect not header X-One 2\nexpect upstream none",
        "request GET /hello\nexpect route /hello\nexpect route handle /hello\nexpect route :80\nexpect route respond",
        "request GET /hello\nexpect not route /gone\nexpect not route respond 404\nexpect not route handl",
        "request GET /api/\nexpect route proxy\nexpect upstream 10.0.0.1:8080\nexpect not upstream none",
        "request GET /now\nfrom 10.1.2.3\nexpect body inside\nexpect route @inside",
        "request GET /now\nfrom 192.0.2.1\nexpect not body inside\nexpect not route @inside",
        "request GET /gone\nexpect abort\nexpect route abort\nexpect upstream none",
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
        ("request GET /hello\nexpect header X-One *", "expected header X-One *; there came x-one: 1"),
        ("request GET /hello\nexpect body *", "expected body *; there came 'hello there'"),
        ('request GET /hello\nexpect route ""', "expected route ''; there came"),
        ("request GET /hello\nexpect not upstream header Cookie", "there came no stand-in upstream was asked"),
        ("request GET /hello\nexpect not upstream body x", "there came no stand-in upstream was asked"),
        ("request GET /gone\nexpect not status 200", "there came the connection was closed without an answer"),
        ("request GET /gone\nexpect not header X-One", "there came the connection was closed without an answer"),
        ("request GET /gone\nexpect not body x", "there came the connection was closed without an answer"),
        ("request GET /gone\nexpect not abort", "expected not abort; there came just that"),
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


def test_stand_ins_for_one_address_answer_in_turn_and_the_last_again_and_again(run_tests: Check) -> None:
    body = """
        upstream 10.0.0.1:8080 {
            body one
        }
        upstream 10.0.0.1:8080 {
            fail
        }
        upstream 10.0.0.1:8080 {
            status 204
        }
        request GET /api/
        expect  body one
        request GET /api/
        expect  status 502
        request GET /api/
        repeat  3
        expect  status 204
    """
    assert failures(run_tests, body) == []


def test_a_star_stands_in_for_every_upstream_that_has_none_of_its_own(run_tests: Check) -> None:
    body = "upstream * {\n    body any\n}\nrequest GET /api/\nexpect body any\nexpect upstream 10.0.0.1:8080"
    assert failures(run_tests, body) == []
    own = "upstream 10.0.0.1:8080 {\n    body own\n}\n"
    assert failures(run_tests, own + body.replace("expect body any", "expect body own")) == []


@pytest.mark.parametrize(
    ("written", "stands_in"),
    [
        ("plain", "plain"),
        ("plain", "http://plain"),
        ("http://plain", "plain:80"),
        ("https://Back.Example", "https://back.example"),
        ("https://back.example:80", "back.example:80"),
        ("[::1]:9000", "http://[::1]:9000"),
        ("unix//run/a.sock", "unix//run/a.sock"),
    ],
)
def test_a_stand_in_is_named_as_the_upstream_is(run_tests: Check, written: str, stands_in: str) -> None:
    report = run_tests(
        f"""
        :80 {{
            proxy {written}
        }}
        test "it answers" {{
            upstream {stands_in} {{
                body "it"
            }}
            request GET /
            expect body "it"
            expect upstream {stands_in}
            expect upstream {written}
        }}
        """
    )
    assert str(report) == ""


def test_the_clock_stands_where_it_is_set_and_goes_on_when_it_is_moved(run_tests: Check) -> None:
    body = """
        at      2026-01-31T23:59:50Z
        request GET /now
        expect  body 2026-01-31T23:59:50Z
        request GET /now
        expect  body 2026-01-31T23:59:50Z
        after   10s
        request GET /now
        expect  body 2026-02-01T00:00:00Z
        after   30d
        request GET /now
        expect  body 2026-03-03T00:00:00Z
        at      2020-01-01T01:00:00+01:00
        request GET /now
        expect  body 2020-01-01T00:00:00Z
    """
    assert failures(run_tests, body) == []


@pytest.mark.parametrize(("delay", "status"), [("9s", 200), ("11s", 504), ("20h", 504)])
def test_an_upstream_that_is_too_slow_is_given_up_on_by_the_clock_of_the_test(
    run_tests: Check, delay: str, status: int
) -> None:
    slow = "too slow" if status == 504 else ""
    body = f'upstream * {{\n    delay {delay}\n}}\nrequest GET /api/\nexpect status {status}\nexpect body "{slow}"\n'
    assert failures(run_tests, body) == []


def test_time_that_an_answer_takes_is_on_the_clock_afterwards(run_tests: Check) -> None:
    body = """
        upstream * {
            delay 5s
        }
        at      2026-01-01T00:00:00Z
        request GET /api/
        expect  status 200
        request GET /now
        expect  body 2026-01-01T00:00:05Z
    """
    assert failures(run_tests, body) == []


def test_an_answer_that_never_comes_fails_the_test_at_once(run_tests: Check) -> None:
    text = """
    :80 {
        proxy 10.0.0.1:8080 {
            response_header_timeout 0
        }
    }
    test "it" {
        upstream 10.0.0.1:8080 {
            delay 7d
        }
        request GET /
        expect status 200
    }
    """
    report = run_tests(text)
    assert str(report) == "Edgefile:11:9: it: no answer within an hour of the test's clock"


def test_a_step_that_raises_fails_one_test_and_names_its_place(run_tests: Check) -> None:
    found = failures(run_tests, "request GET /broken\nexpect status 500")
    assert len(found) == 1
    assert "ZeroDivisionError: nobody thought of this" in found[0]
    assert "in the step `broken` (Edgefile:" in found[0]


def test_a_body_without_end_fails_the_test(run_tests: Check) -> None:
    assert failures(run_tests, "request GET /endless\nexpect status 200") == [
        "the answer's body has more than 16777216 bytes"
    ]


def test_a_file_that_is_too_large_to_look_at_fails_the_test(run_tests: Check, tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(17 * 1024 * 1024)
    report = run_tests(':80 {\n    files .\n}\ntest "it" {\n    request GET /large\n    expect status 200\n}\n')
    assert "the answer's body has more than" in str(report)


def test_no_test_sees_what_another_left_behind(run_tests: Check) -> None:
    one = """
    test "it" {
        upstream 10.0.0.1:8080 {
            body one
        }
        upstream 10.0.0.2:8080 {
            body two
        }
        request GET /
        expect body one
        request GET /
        expect body two
        request GET /
        expect body one
    }
    """
    site = ":80 {\n    proxy 10.0.0.1:8080 10.0.0.2:8080 {\n        balance round_robin\n    }\n}\n"
    assert str(run_tests(site + one * 3)) == ""


def test_a_test_writes_into_no_log(run_tests: Check, tmp_path: Path) -> None:
    site = ":80 {\n    log {\n        output file access.log\n    }\n    respond 200\n}\n"
    report = run_tests(site + 'test "it" {\n    request GET /\n    expect status 200\n}\n')
    assert str(report) == ""
    assert list(tmp_path.iterdir()) == []


def test_a_host_finds_the_site_that_it_finds_among_all_the_sites_of_the_file(run_tests: Check) -> None:
    sites = "".join(
        f'http://{host} {{\n    respond "{host}"\n}}\n' for host in ("a.example", "*.example", "*.*.example")
    )
    asked = {"a.example": "a.example", "b.example": "*.example", "b.c.example": "*.*.example"}
    lines = "".join(
        f"request GET http://{host}/\nexpect body ~^{found.replace('*', '[*]')}$\nexpect route http://{found}\n"
        for host, found in asked.items()
    )
    lines += "request GET http://a.test/\nexpect status 404\nexpect not route http://a.example\n"
    assert str(run_tests(f'{sites}test "it" {{\n{lines}}}\n')) == ""


def test_a_failure_tells_the_way_of_the_request_and_the_lines_that_differ(run_tests: Check) -> None:
    text = ":80 {\n    respond <<END\n        a\n        b\n        END\n}\n"
    report = run_tests(
        text + 'test "it" {\n    request GET /\n    expect body <<END\n        a\n        c\n        END\n}\n'
    )
    ((_, (failure,)),) = report.results
    assert list(failure.difference)[3:] == [" a", "-c", "+b"]
    assert failure.walk is not None
    assert failure.walk.steps[-1].outcome == "answer"
    assert failure.walk.site == (":80",)


BELOW = "?                              ^"


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        (
            'expect body "{\\"name\\": \\"a thing\\", \\"count\\": 2}"',
            ['- {"name": "a thing", "count": 2}', BELOW, '+ {"name": "a thing", "count": 3}', BELOW],
        ),
        (
            "expect header X-Long abcdefghijklmnopqrstuvwxyz",
            ["- abcdefghijklmnopqrstuvwxyz", "? ^", "+ Abcdefghijklmnopqrstuvwxyz", "? ^"],
        ),
        ("expect body short", []),
        ("expect body *nothing*", []),
        ("expect header X-Long ~^[0-9]+$", []),
        ("expect not header X-Long", []),
    ],
)
def test_long_lines_show_where_they_differ(run_tests: Check, line: str, lines: list[str]) -> None:
    site = ':80 {\n    header X-Long Abcdefghijklmnopqrstuvwxyz\n    respond `{"name": "a thing", "count": 3}`\n}\n'
    report = run_tests(f'{site}test "it" {{\n    request GET /\n    {line}\n}}\n')
    ((_, (failure,)),) = report.results
    assert list(failure.difference) == lines


def test_what_the_walk_asks_of_matchers_changes_no_answer(run_tests: Check) -> None:
    """A part behind one that refuses is not asked by the server: it catches no groups."""
    report = run_tests(
        """
        :80 {
            @x {
                method POST
                path_regexp ^/(a)
            }
            respond @x 201
            respond "caught {re.1}"
        }
        test "of a refused matcher" {
            request GET /a
            expect body "caught "
            request POST /a
            expect status 201
        }
        """
    )
    assert str(report) == ""


def test_the_walk_of_a_failure_is_the_way_that_was_really_gone(run_tests: Check) -> None:
    test = 'test "it" {\n    upstream * {\n        delay 1m\n    }\n    request GET /api/\n    expect status 200\n}\n'
    ((_, (failure,)),) = run_tests(SITE + test).results
    assert failure.walk is not None
    told = [(step.outcome.value, step.text) for step in failure.walk.steps]
    assert told[-3:] == [("error", "error 504"), ("enter", "handle_errors 504"), ("answer", 'respond "too slow"')]
    assert ("answer", "proxy 10.0.0.1:8080") in told
    assert failure.walk.answer == "504"
