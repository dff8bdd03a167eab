from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgescript.directives._uri import strip_prefix
from edgescript.http.exchange import Exchange
from edgescript.http.target import decode


@pytest.mark.parametrize(
    ("line", "target", "uri"),
    [
        ("uri strip_prefix /api", "/api/x?a=b", "/x?a=b"),
        ("uri strip_prefix /api", "/api", "/"),
        ("uri strip_prefix api", "/api/x", "/x"),
        ("uri strip_prefix /api", "/API/x", "/x"),
        ("uri strip_prefix /api", "/other", "/other"),
        ("uri strip_prefix /api", "/%61pi/a%2Fb", "/a%2Fb"),
        ("uri strip_prefix /api", "//api//x", "/x"),
        ("uri strip_prefix /api", "/api/../api/x", "/x"),
        ("uri strip_prefix /api", "/x/../api/y", "/y"),
        ("uri strip_prefix /ü", "/%C3%BC/x", "/x"),
        ("uri strip_prefix /{host}", "/example.com/x", "/x"),
        ("uri strip_suffix .php", "/a.php?b=c", "/a?b=c"),
        ("uri strip_suffix .php", "/a%2Eph%70", "/a"),
        ("uri strip_suffix .php", "/a.txt", "/a.txt"),
        ("uri strip_suffix /a", "/a", "/"),
        ("uri replace /docs/ /v1/docs/", "/docs/x?p=/docs/", "/v1/docs/x?p=/v1/docs/"),
        ("uri replace a b 1", "/a/a?a=a", "/b/a?b=a"),
        ("uri replace a {host}", "/a", "/example.com"),
        ("uri path_regexp ^/user-([0-9]+) /users/$1", "/user-17/x?y=z", "/users/17/x?y=z"),
        ("uri path_regexp /{2,} /", "/a//b", "/a/b"),
        ("uri query a b", "/?c=d", "/?c=d&a=b"),
        ("uri query a b", "/?a=1&a=2&c=d", "/?c=d&a=b"),
        ("uri query +a b", "/?a=1", "/?a=1&a=b"),
        ("uri query -a", "/?a=1&b=2&a=3", "/?b=2"),
        ("uri query -a", "/?a=1", "/"),
        ("uri query a", "/", "/?a"),
        ("uri query a>b", "/?a=1&b=2&c=3", "/?b=1&c=3"),
        ("uri query a>b", "/?b=2", "/?b=2"),
        ("uri query a>b", "/?a=1&c=%20&%61=2", "/?b=1&c=%20&b=2"),
        ("uri query a x+ y", "/?a=axx&b=x", "/?a=ay&b=x"),
        ("uri query * x+ <$0>", "/?a=axx&b=x", "/?a=a%3Cxx%3E&b=%3Cx%3E"),
        ('uri query a "{path} &="', "/p", "/p?a=%2Fp%20%26%3D"),
        ("uri query a b {\n -c\n d e\n}", "/?c=1", "/?a=b&d=e"),
        ("uri /x strip_prefix /x", "/x", "/"),
        ("uri /y strip_prefix /x", "/x", "/x"),
    ],
)
def test_the_part_that_changes(site, line, target, uri):
    assert site(f'{line}\nrespond "{{uri}}"')(target).text == uri


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("uri strip_prefix", "E115 write `uri strip_prefix /api`"),
        ("uri strip_prefix /a /b", "E115 write `uri strip_prefix /api`"),
        ("uri replace a", "E115 write `uri replace"),
        ("uri replace a b c", "E115 the limit is a whole number"),
        ('uri replace "" b', "E115 there is nothing to look for"),
        ("uri path_regexp ( b", "E115 the regular expression is malformed"),
        ("uri path_regexp {host} b", "E115 the regular expression cannot have placeholders"),
        ("uri query", "E115 write `uri query"),
        ("uri query -a b", "E115 a parameter that is taken away"),
        ("uri query +a b c", 'E115 "+" and a replacement'),
        ("uri query a ( c", "E115 the regular expression is malformed"),
        ("uri query {host} b", "E115 the name of a parameter cannot have placeholders"),
        ("uri query {\n {host} b\n}", "E115 the name of a parameter cannot have placeholders"),
        ("uri query + b", "E115 there is no parameter"),
        ("uri strip_prefix /a {\n b c\n}", "E115 strip_prefix has no block"),
        ("uri cut /a", "E106 expected"),
    ],
)
def test_mistakes(mistakes, line, problem):
    (found,) = mistakes(f"{line}\nrespond")
    assert found.startswith(problem)


SEGMENTS = st.lists(st.sampled_from(["api", "%61pi", "..", ".", "", "%2e%2e", "a%2fb", "x", "%5c", "API"]), max_size=6)


@given(SEGMENTS)
def test_raw_and_decoded_path_stay_the_same_path(segments):
    raw = "/" + "/".join(segments)
    exchange = Exchange(None, b"GET", raw.encode(), "1.1", [(b"host", b"a")], b"", 0.0)  # type: ignore[arg-type]
    before = exchange.path
    strip_prefix(exchange, "/api")
    assert exchange.path == decode(exchange.raw_path)
    if before.lower().startswith("/api/"):
        assert exchange.path == before[4:]
