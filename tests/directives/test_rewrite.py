from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("line", "target", "uri"),
    [
        ("rewrite /new", "/old?a=b", "/new?a=b"),
        ("rewrite * /new", "/old", "/new"),
        ("rewrite /old /new", "/old", "/new"),
        ("rewrite /old /new", "/other", "/other"),
        ("rewrite /new?", "/old?a=b", "/new"),
        ("rewrite /new?c=d", "/old?a=b", "/new?c=d"),
        ("rewrite ?c=d", "/old?a=b", "/old?c=d"),
        ("rewrite ?", "/old?a=b", "/old"),
        ("rewrite ?{query}&c=d", "/old?a=b", "/old?a=b&c=d"),
        ("rewrite ?{query}&c=d", "/old", "/old?c=d"),
        ("rewrite ?c=d&{query}&e=f", "/old", "/old?c=d&e=f"),
        ("rewrite /api{path}", "/a%20b", "/api/a%20b"),
        ("rewrite /api{path}", "/a%2Fb?c=d", "/api/a%2Fb?c=d"),
        ("rewrite /api{uri}", "/a?b=c", "/api/a?b=c"),
        ("rewrite /api{uri}", "/a", "/api/a"),
        ("rewrite /api{uri}?x=y", "/a?b=c", "/api/a?x=y"),
        ("rewrite {path}.html", "/a%3Fb", "/a%3Fb.html"),
        ("rewrite /x?next={uri}", "/a?b=c&d=e", "/x?next=%2Fa%3Fb%3Dc%26d%3De"),
        ("rewrite /files/{query.f}", "/?f=a%3Fb%23c%20d%25", "/files/a%3Fb%23c%20d%25?f=a%3Fb%23c%20d%25"),
        ("rewrite {header.X-Target}", "/old?a=b", "/t?u=v"),
        ("rewrite {orig_uri}", "/old?a=b", "/old?a=b"),
        ("rewrite /100%", "/", "/100%25"),
        ("rewrite /ü", "/", "/%C3%BC"),
        ("rewrite {query.nothing}", "/old", "/"),
        ("rewrite * {path.1}", "/a/b", "/b"),
    ],
)
def test_only_what_is_written_changes(site, line, target, uri):
    assert site(f'{line}\nrespond "{{uri}}"')(target, headers=[("X-Target", "/t?u=v")]).text == uri


@pytest.mark.parametrize(
    ("target", "raw_path"),
    [
        ("/../secret", "/api/secret"),
        ("/%2e%2e/secret", "/api/secret"),
        ("/a%2f..%2f..%2fsecret", "/api/secret"),
        ("//secret", "/api/secret"),
        ("/..%5csecret", "/api/secret"),
        ("/a%2Fb", "/api/a%2Fb"),
        ("/.well-known/x", "/api/.well-known/x"),
    ],
)
def test_the_old_path_stays_below_the_new_prefix(site, target, raw_path):
    exchange = site("rewrite /api{path}\nrespond")(target).exchange
    assert exchange.raw_path == raw_path.encode()
    assert exchange.path.startswith("/api/")


def test_a_value_does_not_climb_out_of_its_place(site):
    exchange = site("rewrite /files/{query.f}\nrespond")("/?f=../../secret").exchange
    assert exchange.path == "/files/secret"


@pytest.mark.parametrize("value", ["a b", "a\r\nb", "\x7f", "a#b", "%zz", "ä", "a\tb"])
def test_what_comes_out_is_a_valid_target(site, value):
    answer = site("rewrite {header.X}?q={header.X}\nrespond {uri}")("/", headers=[("X", value)])
    assert answer.status == 200
    assert all(0x21 <= byte < 0x7F and byte not in b'#"<>' for byte in answer.exchange.uri)


def test_a_nul_is_refused(site):
    assert site("rewrite /{query.x}\nrespond")("/?x=%00").status == 400


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("rewrite new", "E106 expected a path that begins with /"),
        ("rewrite /new#part", "E106 a fragment is never sent to a server"),
        ("rewrite /new?a={nothing}", 'E104 there is no placeholder "nothing"'),
        ("rewrite", "E107"),
    ],
)
def test_mistakes(mistakes, line, problem):
    (found,) = mistakes(f"{line}\nrespond")
    assert found.startswith(problem)
