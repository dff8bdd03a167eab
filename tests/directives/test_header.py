from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("header X a", ["a"]),
        ("header X {method}", ["GET"]),
        ("header X {status}", ["200"]),
        ("header X {resp.header.Content-Type}", ["text/plain; charset=utf-8"]),
        ("header X a\nheader X b", ["b"]),
        ("header X a\nheader +X b", ["a", "b"]),
        ("header ?X a\nheader ?X b", ["a"]),
        ("header X a\nheader -X", []),
        ("header X a\nheader -*", []),
        ("header X abcd\nheader X b(.) <$1>", ["a<c>d"]),
        ("header X abcd\nheader * * b z", ["azcd"]),
        ("header {\n X a\n +X b\n}", ["a", "b"]),
        ("header X a {\n +X b\n}", ["a", "b"]),
        ("header >X a\nheader X b", ["a"]),
        ("header X a\nheader >X b", ["b"]),
        ("header >X a\nheader >X b", ["b"]),
        ("header X b {\n defer\n}\nheader X a", ["b"]),
        ("header {\n defer off\n X b\n}\nheader X a", ["a"]),
        ("header X a\nvars a b\nheader X b", ["b"]),
        ("header /other X a", []),
        ("header /page X a", ["a"]),
        ("header X a\nheader X b\nheader +X c\nheader +X d", ["b", "c", "d"]),
        ('header X "a\\nSet-Cookie: b"', ["a Set-Cookie: b"]),
    ],
)
def test_what_the_response_has(site, lines, expected):
    assert site(f"{lines}\nrespond hello")("/page").every("x") == expected


def test_a_placeholder_adds_no_field(site):
    answer = site("header X {query.x}\nrespond hello")("/?x=a%0d%0aY:%20b%00c")
    assert answer.every("x") == ["a  Y: b c"]
    assert answer.every("y") == []


def test_a_match_picks_responses_by_status_and_field(site):
    ask = site(
        """
        header {
            match {
                status 404 5xx
                header Content-Type text/*
            }
            X yes
        }
        header {
            match {
                header Content-Type application/json
            }
            Y yes
        }
        respond /404 404 text
        respond /json 404 "\\{}"
        respond /500 500 text
        respond text
        """
    )
    seen = {path: (ask(path).header("x"), ask(path).header("y")) for path in ("/404", "/json", "/500", "/")}
    assert seen == {"/404": ("yes", None), "/json": (None, "yes"), "/500": ("yes", None), "/": (None, None)}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("status 2xx", "yes"),
        ("status 404 200", "yes"),
        ("status 404", None),
        ("header Content-Type", "yes"),
        ("header Content-Type text/*", "yes"),
        ("header Content-Type image/*", None),
        ("header X-None", None),
    ],
)
def test_a_match_may_stand_on_one_line(site, rule, expected):
    assert site(f"header {{\n match {rule}\n X yes\n}}\nrespond hello")().header("x") == expected


def test_values_are_bytes_as_they_came(site):
    answer = site("header X {path}\nrespond hello")("/%ff")
    assert (b"x", b"/\xff") in answer.response.headers


def test_compiled_changes_are_not_shared_between_requests(site):
    ask = site("header +X a\nheader /b +X b\nrespond hello")
    assert [ask(path).every("x") for path in ("/a", "/b", "/a")] == [["a"], ["a", "b"], ["a"]]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("header", "E115 there is no field to change"),
        ("header X", 'E115 "X" has no value; write "-X" to take the field away'),
        ("header -X a", "E115 a field that is taken away has no value"),
        ('header "a b" c', 'E115 "a b" is no name of a header field'),
        ("header X ( b", "E115 the regular expression is malformed"),
        ("header Content-Length 5", 'E115 "Content-Length" is written by the server itself'),
        ("header {\n X\n}", 'E115 "X" has no value'),
        ("header {\n match 404\n X a\n}", "E106 expected `status 4xx`"),
        ("header {\n match status 4x\n X a\n}", "E106 expected a status code"),
        ("header X {unknown}", 'E104 there is no placeholder "unknown"'),
    ],
)
def test_mistakes(mistakes, line, problem):
    found = mistakes(f"{line}\nrespond hello")
    assert len(found) == 1
    assert found[0].startswith(problem)
