from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("line", "status", "text"),
    [
        ("respond", 200, ""),
        ("respond 404", 404, ""),
        ("respond hello", 200, "hello"),
        ('respond 404 "not here"', 404, "not here"),
        ("respond 200 404", 200, "404"),
        ("respond 2000", 200, "2000"),
        ('respond "{method} {path}"', 200, "GET /x"),
        ('respond {query.status} "by query"', 418, "by query"),
        ("respond {\n body hello\n}", 200, "hello"),
        ("respond 201 {\n body hello\n}", 201, "hello"),
        ("respond {\n status 201\n body hello\n}", 201, "hello"),
        ("respond /x 202", 202, ""),
        ('respond * "everything"', 200, "everything"),
        ("respond <<END\n    one\n      two\n    END", 200, "one\n  two"),
        ('respond "\\{path}"', 200, "{path}"),
    ],
)
def test_status_and_text(site, line, status, text):
    answer = site(line)("/x?status=418")
    assert (answer.status, answer.text) == (status, text)


@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        ("hello", "text/plain; charset=utf-8"),
        ('{"a": 1}', "application/json"),
        (" [1, 2] ", "application/json"),
        ("[not json]", "text/plain; charset=utf-8"),
        ("[" * 10_000 + "]" * 10_000, "text/plain; charset=utf-8"),
        ("<!DOCTYPE html><p>hello", "text/html; charset=utf-8"),
        ("<html><p>hello", "text/html; charset=utf-8"),
        ('{"path": "{path}"}', "application/json"),
        ("{path}", "text/plain; charset=utf-8"),
    ],
)
def test_the_content_type_is_what_the_text_looks_like(site, text, content_type):
    assert site(f"respond `{text}`")("/x").header("content-type") == content_type


def test_a_placeholder_cannot_make_a_page(site):
    answer = site('respond "{query.q}"')("/?q=<html><script>alert(1)</script>")
    assert answer.text.startswith("<html>")
    assert answer.header("content-type") == "text/plain; charset=utf-8"


def test_an_empty_answer_has_no_content_type(site):
    assert site("respond 204")().header("content-type") is None


def test_a_header_above_decides_on_the_content_type(site):
    answer = site("header Content-Type text/css\nrespond `a { color: red }`")()
    assert answer.header("content-type") == "text/css"
    assert answer.text == "a { color: red }"


def test_close_closes_the_connection(site):
    assert site("respond bye {\n close\n}")().response.close
    assert not site("respond stay")().response.close


def test_every_answer_has_a_list_of_its_own(site):
    ask = site("respond hello")
    ask().response.headers.append((b"x", b"y"))
    assert ask().every("x") == []


def test_early_hints_send_the_headers_above_and_go_on(site):
    answer = site('header Link "</a.css>; rel=preload"\nrespond 103\nrespond "page"')()
    assert answer.text == "page"
    assert answer.exchange.client.informed == [(103, [(b"link", b"</a.css>; rel=preload")])]
    assert answer.every("link") == ["</a.css>; rel=preload"]


def test_a_status_that_is_none_is_an_error(site):
    answer = site('respond {query.status} "x"')("/?status=99")
    assert answer.status == 500
    assert answer.exchange.error.reason == "'99' is no status"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("respond 600", 'E106 expected a status code such as 404, not "600"'),
        ("respond hello world", 'E106 expected a status code such as 404, not "hello"'),
        ("respond 101", "E106 a status here is at least 200"),
        ('respond 100 "x"', "E106 a status here is at least 200"),
    ],
)
def test_what_is_no_status_is_a_problem(mistakes, line, problem):
    assert mistakes(line) == [problem]


def test_nothing_can_run_below_an_answer_to_everything(mistakes):
    assert [problem[:4] for problem in mistakes("respond a\nrespond b")] == ["E201"]
    assert mistakes("respond 103\nrespond b") == []


def test_bytes_that_are_no_utf_8_come_out_as_they_went_in(site):
    assert site("respond {path}")("/%ff").response.body == b"/\xff"
