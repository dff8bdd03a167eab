"""`replace`: what is found, what takes its place, and what the response's fields say then."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from edgescript.catalog import Catalogue
from edgescript.graph.load import analyse
from edgescript.lint.run import lint
from edgescript.text.source import Source


@pytest.mark.parametrize(
    ("lines", "body", "expected"),
    [
        ("replace old new", "old gold old", "new gnew new"),
        ('replace old ""', "old gold", " g"),
        ("replace old new {\nonce\n}", "old old", "new old"),
        ("replace $1 $$", "costs $1", "costs $$"),
        ("replace ~o(.)d <$1$$>", "old odd", "<l$> <d$>"),
        ("replace ~(?P<a>.)ld $a.", "old", "o."),
        ("replace ~(?i)OLD new", "oLd old", "new new"),
        ("replace ~ö.$ x", "schön", "schx"),
        ("replace {\na b\nb c\n}", "ab", "cc"),
        ("replace a b\nreplace b c", "ab", "bc"),
        ("replace host {host}", "host", "example.com"),
        ("replace ~h(o)st {host}$1", "host", "example.como"),
        ("replace * /old /new", "/old/x", "/new/x"),
        ("replace /other old new", "old", "old"),
        ("replace old new {\ntypes text/html\n}", "old", "old"),
        ("replace old new {\nmatch status 404\n}", "old", "old"),
        ("replace old {status}", "old", "200"),
    ],
)
def test_what_takes_the_place_of_what(site: Any, lines: str, body: str, expected: str) -> None:
    assert site(f"{lines}\nrespond 200 `{body}`")().text == expected


def test_lines_of_a_block_run_from_top_to_bottom_and_directives_from_below(site: Any) -> None:
    """As all response changes: the innermost first."""
    assert site("replace b c\nreplace a b\nrespond a")().text == "c"


def test_validators_become_weak_or_go_with_placeholders(site: Any) -> None:
    fields = 'header {\nETag `"x"`\nLast-Modified then\nAccept-Ranges bytes\nContent-MD5 x\n}'
    constant = site(f"replace a b\n{fields}\nrespond a")()
    assert (constant.header("etag"), constant.header("last-modified")) == ('W/"x"', "then")
    varying = site(f"replace a {{uuid}}\n{fields}\nrespond a")()
    assert (varying.header("etag"), varying.header("last-modified")) == (None, None)
    for answer in (constant, varying):
        assert answer.header("accept-ranges") is answer.header("content-md5") is None


@pytest.mark.parametrize(
    "more",
    [
        "header Content-Type image/png",
        'header Content-Range "bytes 0-2/9"',
        "header Content-Encoding compress",
    ],
)
def test_what_cannot_be_read_is_left_as_it_is(site: Any, more: str) -> None:
    answer = site(f'replace old new\n{more}\nheader ETag `"x"`\nrespond old')()
    assert answer.text == "old"
    assert answer.header("etag") == '"x"'


def test_it_stands_below_encode_or_above_it(site: Any) -> None:
    text = "an old text " * 100
    answer = site(f'encode gzip\nreplace old new\nrespond "{text}"')(headers=[("Accept-Encoding", "gzip")])
    assert gzip.decompress(answer.response.body).decode() == text.replace("old", "new")
    assert answer.every("content-encoding") == ["gzip"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("replace", "E115 there is nothing to find"),
        ("replace old", "E115 there is no replacement"),
        ('replace "" x', "E115 the text to find is empty"),
        ("replace ~( x", "E115 the regular expression is malformed"),
        ("replace ~a* x", "E115 the regular expression also finds an empty text"),
        ("replace {\n~ x\n}", "E115 the regular expression also finds an empty text"),
    ],
)
def test_what_makes_no_sense_is_a_problem(mistakes: Any, line: str, message: str) -> None:
    found = mistakes(f"{line}\nrespond hello")
    assert [one[: len(message)] for one in found] == [message]


@pytest.mark.parametrize("line", ["replace ~([a-z]+)*! x", "replace {\n~([a-z]+)*! x\n}"])
def test_a_pattern_that_can_take_for_ever_is_warned_of(line: str) -> None:
    catalogue = Catalogue.load()
    source = Source("Edgefile", f":80 {{\n{line}\nrespond hello\n}}\n")
    analysis = analyse(source, catalogue=catalogue, environment={})
    assert "W311" in {problem.code for problem in lint(analysis, catalogue)}
