"""`encode`: who gets what, by the fields of the request and the response."""

from __future__ import annotations

import gzip
from typing import Any

import brotli
import pytest
from backports import zstd

READ = {"gzip": gzip.decompress, "br": brotli.decompress, "zstd": zstd.decompress}
TEXT = "a text that is long enough " * 40


def asked(site: Any, accept: str | None, directives: str = "encode", more: str = "", **ask: Any) -> Any:
    fields = [] if accept is None else [("Accept-Encoding", accept)]
    fields += ask.pop("headers", [])
    return site(f'{directives}\n{more}\nrespond "{TEXT}"')(headers=fields, **ask)


@pytest.mark.parametrize(
    ("directives", "accept", "coding"),
    [
        ("encode", None, None),
        ("encode", "", None),
        ("encode", "gzip", "gzip"),
        ("encode", "x-gzip", "gzip"),
        ("encode", "gzip, deflate, br, zstd", "zstd"),
        ("encode br gzip", "gzip, deflate, br, zstd", "br"),
        ("encode gzip", "gzip, deflate, br, zstd", "gzip"),
        ("encode", "gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("encode {\nprefer server\n}", "gzip;q=1.0, zstd;q=0.5", "zstd"),
        ("encode {\nprefer server\n}", "gzip;q=1.0, zstd;q=0", "gzip"),
        ("encode", "*", "zstd"),
        ("encode", "*;q=0.1, br;q=0", "zstd"),
        ("encode", "*;q=0", None),
        ("encode", "identity", None),
        ("encode", "identity;q=0.5, gzip;q=0.4", None),
        ("encode", "identity;q=0.5, gzip;q=0.6", "gzip"),
        ("encode", "deflate", None),
        ("encode {\nminimum_length 2000\n}", "gzip", None),
        ("encode {\nminimum_length 2000\n}", "gzip, identity;q=0", "gzip"),
        ("encode {\nminimum_length 100\n}", "gzip", "gzip"),
        ("encode {\ntypes application/json\n}", "gzip", None),
        ("encode {\ntypes *\n}", "gzip", "gzip"),
        ("encode {\nmatch status 4xx\n}", "gzip", None),
        ("encode {\nmatch status 2xx\n}", "gzip", "gzip"),
        ("encode /other", "gzip", None),
    ],
)
def test_the_coding_is_the_one_that_both_want(site: Any, directives: str, accept: str | None, coding: str) -> None:
    answer = asked(site, accept, directives)
    assert answer.header("content-encoding") == coding
    body = answer.response.body
    assert (body if coding is None else READ[coding](body)).decode() == TEXT


@pytest.mark.parametrize("accept", [None, "gzip", "gzip;q=0"])
def test_caches_are_told_that_the_client_counts(site: Any, accept: str | None) -> None:
    assert asked(site, accept).every("vary") == ["accept-encoding"]
    assert asked(site, accept, more="header Vary Accept-Language").every("vary") == [
        "Accept-Language",
        "accept-encoding",
    ]
    assert asked(site, accept, more='header Vary "Origin, Accept-Encoding"').every("vary") == [
        "Origin, Accept-Encoding"
    ]
    assert asked(site, accept, more="header Vary *").every("vary") == ["*"]


@pytest.mark.parametrize(
    "more",
    [
        "header Content-Type image/png",
        "header -Content-Type",
        "header Content-Encoding br",
        'header Cache-Control "public, No-Transform"',
        'header Content-Range "bytes 0-9/100"',
    ],
)
def test_what_must_not_be_compressed_is_left_as_it_is(site: Any, more: str) -> None:
    answer = asked(site, "gzip", more=f'{more}\nheader ETag `"x"`')
    assert answer.text == TEXT
    assert answer.header("etag") == '"x"'
    assert answer.header("vary") is None


@pytest.mark.parametrize("status", [204, 206])
def test_responses_that_are_not_whole_are_left_as_they_are(site: Any, status: int) -> None:
    answer = site(f'encode\nrespond {status} "{TEXT}"')(headers=[("Accept-Encoding", "gzip")])
    assert answer.text == TEXT
    assert answer.header("content-encoding") is None


def test_errors_are_compressed_too(site: Any) -> None:
    answer = site(f'encode\nerror 404\nhandle_errors {{\nrespond "{TEXT}"\n}}')(headers=[("Accept-Encoding", "gzip")])
    assert answer.status == 404
    assert gzip.decompress(answer.response.body).decode() == TEXT


def test_it_is_done_once(site: Any) -> None:
    answer = asked(site, "gzip, br", "encode br\nencode gzip")
    assert answer.every("content-encoding") == ["gzip"]
    assert gzip.decompress(answer.response.body).decode() == TEXT


@pytest.mark.parametrize(("etag", "sent"), [('"x"', 'W/"x"'), ('W/"x"', 'W/"x"')])
def test_fields_about_the_very_bytes_go_and_the_entity_tag_becomes_weak(site: Any, etag: str, sent: str) -> None:
    about = "\n".join(
        f"{name} x" for name in ("Accept-Ranges", "Content-MD5", "Digest", "Content-Digest", "Repr-Digest")
    )
    answer = asked(site, "br", more=f"header {{\n{about}\nETag `{etag}`\nLast-Modified then\n}}")
    assert answer.header("etag") == sent
    assert answer.header("last-modified") == "then"
    names = {name for name, _ in answer.response.headers}
    assert names == {b"content-type", b"content-encoding", b"vary", b"etag", b"last-modified", b"server"}
    plain = asked(site, None, more=f"header {{\n{about}\nETag `{etag}`\n}}")
    assert plain.header("etag") == etag
    assert plain.header("accept-ranges") == "x"


@pytest.mark.parametrize(
    ("asked_about", "told"),
    [('W/"x"', 'W/"x"'), ('"a", W/"x"', 'W/"x"'), ('"x"', '"x"'), ("*", '"x"'), ('W/"xx"', '"x"')],
)
def test_a_304_repeats_the_tag_that_the_client_has(site: Any, asked_about: str, told: str) -> None:
    answer = site('encode\nheader ETag `"x"`\nrespond 304')(headers=[("If-None-Match", asked_about)])
    assert answer.header("etag") == told
    assert answer.header("vary") == "accept-encoding"


def test_head_says_what_get_would_but_for_the_length(site: Any) -> None:
    got, head = asked(site, "gzip"), asked(site, "gzip", method="HEAD")
    assert head.response.headers == got.response.headers
    assert head.response.body.length is None
    head.response.body.cancel()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("encode gzip gzip", "E115 gzip is there twice"),
        ("encode deflate", "E106"),
        ("encode {\nlevel br 9\n}", "E106 br has levels from 0 to 7 here"),
        ("encode {\nlevel gzip 0\n}", "E106 gzip has levels from 1 to 9 here"),
        ("encode gzip {\nlevel br 5\n}", "E115 br is not offered"),
        ("encode {\nlevel br 5\nlevel br 6\n}", "E115 br has two levels"),
    ],
)
def test_what_makes_no_sense_is_a_problem(mistakes: Any, line: str, message: str) -> None:
    (found,) = mistakes(f"{line}\nrespond hello")
    assert found.startswith(message)


def test_levels_count(site: Any) -> None:
    text = " ".join(f"{number * number % 9973:x} of some words that come again" for number in range(2000))
    one, nine = (
        site(f'encode {{\nlevel gzip {level}\n}}\nrespond "{text}"')(
            headers=[("Accept-Encoding", "gzip")]
        ).response.body
        for level in (1, 9)
    )
    assert len(one) > len(nine)
