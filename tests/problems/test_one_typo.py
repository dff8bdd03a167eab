"""One typo gives one problem, not a cascade."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edgescript.text.problem import Problem

RIGHT = """{
    grace_period 10s
}

(common) {
    header X-Served-By {args.0}
}

http://example.com {
    import common edge
    @writes {
        method POST PUT
        path /api/*
    }
    handle /api/* {
        request_header X-Writes "yes"
        proxy 10.0.0.1:80 10.0.0.2:80 {
            balance round_robin
            retry 1
            header_up X-Client {client_ip}
        }
    }
    handle @writes {
        respond 405 "not here"
    }
    handle {
        files /srv/www
    }
    handle_errors 404 {
        respond "nothing at {path}"
    }
}

test "it is there" {
    request GET http://example.com/
    expect status 404
}
"""

#: What is written, what is written instead, and the code of the problem.
TYPOS = [
    ("handle /api/* {", "hndle /api/* {", "E101"),
    ("proxy 10.0.0.1:80 10.0.0.2:80 {", "prxy 10.0.0.1:80 10.0.0.2:80 {", "E101"),
    ("proxy 10.0.0.1:80 10.0.0.2:80 {", "reverse_proxy 10.0.0.1:80 10.0.0.2:80 {", "E101"),
    ("handle_errors 404 {", "handle_erors 404 {", "E101"),
    ("handle @writes {", "handle @write {", "E111"),
    ("    @writes {", "    @wrtes {", "E111"),
    ("method POST PUT", "methd POST PUT", "E103"),
    ("grace_period 10s", "grace_perod 10s", "E105"),
    ("grace_period 10s", "grace_period 10", "E106"),
    ("balance round_robin", "balance roundrobin", "E117"),
    ("retry 1", "retries 1", "E102"),
    ("retry 1", "retry one", "E106"),
    ("retry 1", "retry 1 2", "E108"),
    ("{client_ip}", "{clientip}", "E104"),
    ("{client_ip}\n", "{client_ip\n", "E106"),
    ("import common edge", "import comon edge", "E008"),
    ("import common edge", "import common", "E011"),
    ("(common) {", "(comon) {", "E008"),
    ("http://example.com {", "htp://example.com {", "E113"),
    ("http://example.com {", "example.com {", "E203"),
    ("http://example.com {", "http://example.com{", "E005"),
    ("http://example.com {", "http://example.com\n{", "E005"),
    ('respond 405 "not here"', 'respond 405 "not here', "E002"),
    ('respond 405 "not here"', "respond 405 not here", "E108"),
    ('respond 405 "not here"', 'respond 405 "not here";', "E017"),
    ('respond 405 "not here"', 'respond 405 "not \\here"', "E012"),
    ('respond 405 "not here"\n    }', 'respond 405 "not here"', "E003"),
    ('respond 405 "not here"\n    }', 'respond 405 "not here" }', "E015"),
    ("handle {\n        files /srv/www\n    }", "handle { files /srv/www }", "E005"),
    ("files /srv/www\n    }", "files /srv/www\n    }\n    }", "E004"),
    ("handle @writes {", "handle @writes", "E004"),
    ("files /srv/www", "files\u00a0/srv/www", "E001"),
    ("10.0.0.2:80 {", "10.0.0.2:808080 {", "E106"),
    ("10.0.0.2:80 {", "10.0.0.2:80/x {", "E106"),
    ("path /api/*", "pth /api/*", "E103"),
    ('respond 405 "not here"', "respond 405 'not here'", "E108"),
    ('at {path}"\n    }\n}', 'at {path}"\n    }}', "E015"),
    ("import common edge", "import common edge\n    import std/security-header", "E008"),
    ("(common) {", "import std/security-headers\n(common) {", "E016"),
    ("expect status", "expct status", "E102"),
    ("request GET", "reqest GET", "E102"),
    ('test "it is there" {', "test {", "E113"),
]


@pytest.mark.parametrize(("written", "instead", "code"), TYPOS)
def test_a_typo_gives_one_problem(written: str, instead: str, code: str, find: Callable[[str], list[Problem]]) -> None:
    assert written in RIGHT
    assert [problem.code for problem in find(RIGHT.replace(written, instead, 1))] == [code]


def test_without_a_typo_there_is_none(find: Callable[[str], list[Problem]]) -> None:
    assert find(RIGHT) == []
