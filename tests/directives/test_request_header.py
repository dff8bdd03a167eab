from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("request_header X b", "b"),
        ("request_header +X b", "a, b"),
        ("request_header -X", ""),
        ("request_header ?X b", "a"),
        ("request_header ?Z b\nrequest_header X {header.Z}", "b"),
        ("request_header X (.) $1$1", "aa"),
        ("request_header {\n -X\n X {path}\n}", "/page"),
        ("request_header /other X b", "a"),
    ],
)
def test_what_the_directives_below_see(site, lines, expected):
    assert site(f'{lines}\nrespond "{{header.X}}"')("/page", headers=[("X", "a")]).text == expected


def test_changing_host_changes_what_rules_see(site):
    answer = site('request_header Host other.example:8080\nrespond "{host} {port}"')()
    assert answer.text == "other.example 8080"


def test_a_host_that_is_none_is_an_error(site):
    assert site("request_header Host {query.h}\nrespond")("/?h=a/b").status == 500


def test_a_placeholder_adds_no_field(site):
    answer = site("request_header X {query.x}\nrespond")("/?x=a%0d%0ab")
    assert (b"x", b"a  b") in answer.exchange.headers


def test_mistakes(mistakes):
    assert mistakes("request_header\nrespond") == ["E115 there is no field to change"]
    assert len(mistakes("request_header Transfer-Encoding chunked\nrespond")) == 1
