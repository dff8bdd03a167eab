"""What each matcher matches, as tables: its line, and requests that it matches and does not match."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from edgescript.graph.model import Matcher
from edgescript.http.exchange import Exchange
from edgescript.http.trust import Trust
from edgescript.text.problem import Problem

Compile = Callable[[str], Matcher]
Ask = Callable[..., Exchange]
Request = dict[str, Any]


def at(target: str = "/", **request: Any) -> Request:
    return {"target": target, **request}


def with_header(*pairs: tuple[str, str]) -> Request:
    return {"headers": list(pairs)}


X = "X-Level"
CASES: dict[str, tuple[list[Request], list[Request]]] = {
    # path
    "path /a /b/*": ([at("/a"), at("/A"), at("/b/c"), at("/b/../a")], [at("/b"), at("/a/"), at("/")]),
    "path *.php": ([at("/x.php"), at("/x.PHP?a=1")], [at("/x?a=.php"), at("/x.php/y")]),
    # method
    "method GET head": ([at(method="GET"), at(method="HEAD")], [at(method="POST"), at(method="get")]),
    "method PURGE": ([at(method="PURGE")], [at()]),
    # host
    "host a.example *.b.example": (
        [at(host="a.example"), at(host="A.Example:81"), at(host="x.b.example"), at(host="a.example.")],
        [at(host="b.example"), at(host="x.y.b.example"), at(host="")],
    ),
    "host example.com": ([at()], [at(host="www.example.com")]),
    "host [::1]": ([at(host="[::1]:80")], [at(host="::1".replace(":", "x"))]),
    # header
    "header X-Level": ([with_header((X, "")), with_header((X, "1"))], [at()]),
    "header !X-Level": ([at()], [with_header((X, ""))]),
    "header X-Level 1 2": (
        [with_header((X, "1")), with_header((X, "9"), (X, "2"))],
        [at(), with_header((X, "12")), with_header(("X-Other", "1"))],
    ),
    "header X-Level a*": ([with_header((X, "abc"))], [with_header((X, "Abc"))]),
    "header X-Level *c": ([with_header((X, "abc"))], [with_header((X, "cb"))]),
    "header X-Level *b*": ([with_header((X, "abc"))], [with_header((X, "ac"))]),
    "header X-Level *": ([with_header((X, "abc"))], [at()]),
    "header X-Level {host} {method}x": (
        [with_header((X, "example.com")), with_header((X, "GETx"))],
        [with_header((X, "{host}")), at()],
    ),
    "header Host example.com": ([at()], [at(host="x")]),
    # header_regexp
    "header_regexp X-Level ^v[0-9]+$": ([with_header((X, "v12"))], [with_header((X, "v")), at()]),
    "header_regexp level X-Level [0-9]": ([with_header((X, "-"), (X, "-1-"))], [with_header((X, "x"))]),
    # path_regexp
    "path_regexp \\.(jpg|png)$": ([at("/a.jpg"), at("/a%2Epng")], [at("/a.jpgx"), at("/a.PNG")]),
    "path_regexp (?i)^/user$": ([at("/USER")], [at("/users")]),
    # query
    "query a=1": ([at("/?a=1"), at("/?b=2&a=1"), at("/?a=2&a=1"), at("/?%61=%31")], [at("/?a=12"), at("/"), at("/?")]),
    "query a=1 a=2 b=*": ([at("/?a=2&b="), at("/?b=9&a=1")], [at("/?a=1"), at("/?b=1")]),
    "query a": ([at("/?a"), at("/?a=1")], [at("/?b")]),
    "query a=": ([at("/?a"), at("/?a=")], [at("/?a=1")]),
    "query a=x*": ([at("/?a=xy")], [at("/?a=yx")]),
    'query ""': ([at("/"), at("/?")], [at("/?a")]),
    'query "" a=1': ([at("/"), at("/?a=1")], [at("/?b=1")]),
    "query q=a+b": ([], [at("/?q=a+b")]),
    'query "q=a b"': ([at("/?q=a+b"), at("/?q=a%20b")], []),
    # cookie
    "cookie a": (
        [with_header(("Cookie", "b=1; a=")), with_header(("Cookie", "a=1"))],
        [with_header(("Cookie", "aa=1; a")), at()],
    ),
    "cookie a 1 x*": (
        [with_header(("Cookie", 'a="1"')), with_header(("Cookie", "b=2"), ("Cookie", "a=xyz"))],
        [with_header(("Cookie", "a=12")), with_header(("Cookie", "A=1"))],
    ),
    # protocol, scheme
    "protocol http": ([at()], [at(scheme="https")]),
    "protocol https grpc": (
        [at(scheme="https"), with_header(("Content-Type", "application/grpc+proto"))],
        [with_header(("Content-Type", "text/grpc"))],
    ),
    "protocol http/1.1": ([at()], [at(version="1.0"), at(version="2")]),
    "protocol http/2+": ([at(version="2"), at(version="3")], [at(version="1.1")]),
    "protocol http/1.1+": ([at(version="3")], [at(version="1.0")]),
    "scheme https": ([at(scheme="https")], [at()]),
    # addresses
    "remote_ip 192.0.2.0/24": ([at()], [at(remote_ip="192.0.3.1"), at(remote_ip="")]),
    "remote_ip private_ranges": (
        [at(remote_ip="10.1.1.1"), at(remote_ip="::1"), at(remote_ip="127.0.0.9"), at(remote_ip="fd00::1")],
        [at(), at(remote_ip="172.32.0.1")],
    ),
    "client_ip 203.0.113.9": (
        [at(headers=[("X-Forwarded-For", "203.0.113.9")], trust=Trust([ip_network("192.0.2.0/24")]))],
        [at(headers=[("X-Forwarded-For", "203.0.113.9")])],
    ),
    # not, and several lines
    "not path /a": ([at("/b")], [at("/a")]),
    "not {\npath /a\nmethod GET\n}": ([at("/b"), at("/a", method="POST")], [at("/a")]),
    "not not path /a": ([at("/a")], [at("/b")]),
    "path /a*\nnot method GET\nhost example.com": (
        [at("/ab", method="POST")],
        [at("/ab"), at("/b", method="POST"), at("/ab", method="POST", host="x")],
    ),
    # expression
    'expression `method == "GET" and path.startswith("/a")`': ([at("/ab")], [at("/b"), at("/ab", method="POST")]),
}


@pytest.mark.parametrize("line", CASES)
def test_a_matcher(line: str, matcher: Compile, ask: Ask) -> None:
    test = matcher(line).test
    matching, others = CASES[line]
    assert [request for request in matching if not test(ask(**request))] == []
    assert [request for request in others if test(ask(**request))] == []


@pytest.mark.parametrize(
    ("line", "request_", "reason"),
    [
        ("path /a", at("/x?q"), "the path is /x"),
        ("method GET", at(method="PUT"), "the method is PUT"),
        ("host a", at(host="b:80"), "the host is b"),
        ("header X-Level 1", with_header((X, "2"), (X, "3")), "X-Level is 2, 3"),
        ("header !X-Level", at(), "there is no X-Level"),
        ("header_regexp X-Level x", with_header((X, "2")), "X-Level is 2"),
        ("header_regexp X-Level x", at(), "there is no X-Level"),
        ("query a=1", at("/?b=2"), "the query is b=2"),
        ("query a=1", at("/"), "there is no query"),
        ("cookie a", with_header(("Cookie", "a=1")), "the cookie a is 1"),
        ("cookie a", at(), "there is no cookie a"),
        ("protocol grpc", at(), "the protocol is http with HTTP/1.1"),
        ("scheme https", at(), "the scheme is http"),
        ("remote_ip ::1", at(), "the peer is 192.0.2.1"),
        ("client_ip ::1", at(), "the client is 192.0.2.1"),
        ("expression `method == 'PUT'`", at(), "the expression is false"),
    ],
)
def test_what_was_compared_is_told(line: str, request_: Request, reason: str, matcher: Compile, ask: Ask) -> None:
    (part,) = matcher(line).parts
    assert part.reason(ask(**request_)) == reason


def test_captures_are_kept_by_number_and_by_name(matcher: Compile, ask: Ask) -> None:
    exchange = ask("/users/17/edit", headers=[(X, "v3")])
    named = matcher(
        "path_regexp user ^/users/(?P<id>[0-9]+)(/none)?\nheader_regexp v([0-9])".replace("v(", "X-Level v(")
    )
    assert named.test(exchange)
    assert exchange.captures == {
        "0": "v3", "1": "3", "2": "", "id": "17",
        "user.0": "/users/17", "user.1": "17", "user.2": "", "user.id": "17",
    }  # fmt: skip


def test_a_pattern_that_finds_nothing_leaves_no_captures(matcher: Compile, ask: Ask) -> None:
    exchange = ask("/x")
    assert not matcher("path_regexp (y)").test(exchange)
    assert exchange.captures is None


def test_only_a_matcher_that_is_nothing_but_a_path_goes_into_the_path_index(matcher: Compile) -> None:
    assert matcher("path /a /b*").paths == ("/a", "/b*")
    assert matcher("path /a\nmethod GET").paths is None
    assert matcher("not path /a").paths is None


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("path", "E107"),
        ("path x", "E106"),
        ("path /a%20b", "E106"),
        ("path /a//b", "E106"),
        ("path /a/../b", "E106"),
        ("path_regexp (", "E106"),
        ("path_regexp a b c", "E108"),
        ("header_regexp X", "E107"),
        ("header_regexp X [", "E106"),
        ("header X:y", "E106"),
        ("header !X y", "E115"),
        ("header X {nothing_of_this_name}", "E104"),
        ("protocol spdy", "E106"),
        ("scheme ftp", "E106"),
        ("remote_ip nowhere", "E106"),
        ("expression `import os`", "E114"),
        ("not", "E107"),
        ("not nothing /x", "E103"),
        ("nothing /x", "E103"),
    ],
)
def test_a_malformed_matcher_is_a_problem(line: str, code: str, problems_of: Callable[[str], list[Problem]]) -> None:
    assert [problem.code for problem in problems_of(line)] == [code]
