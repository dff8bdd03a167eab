from __future__ import annotations

import os
from collections.abc import Callable
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgescript.files.ranges import MOST_RANGES, Multipart, Range, content_range, select
from edgescript.http.body import BodyBroken


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=0-99", [(0, 100)]),
        ("bytes=0-100", [(0, 100)]),
        ("bytes=10-", [(10, 100)]),
        ("bytes=-1", [(99, 100)]),
        ("bytes=-100", [(0, 100)]),
        ("bytes=-1000", [(0, 100)]),
        ("bytes=99-99999999999999999999999999", [(99, 100)]),
        ("bytes=0000000000000000000000005-5", [(5, 6)]),
        ("BYTES=0-1", [(0, 2)]),
        ("bytes= 0-1 , 5-6 ", [(0, 2), (5, 7)]),
        ("bytes=,0-1,,", [(0, 2)]),
        # in the order asked
        ("bytes=50-59,0-9", [(50, 60), (0, 10)]),
        # overlapping and touching ones become one
        ("bytes=0-9,5-19", [(0, 20)]),
        ("bytes=10-19,0-9", [(0, 20)]),
        ("bytes=90-99,0-9,5-7,8-20", [(90, 100), (0, 21)]),
        ("bytes=0-,0-,0-,0-", [(0, 100)]),
        ("bytes=0-9,0-9,20-29,20-29", [(0, 10), (20, 30)]),
        # those that are not there fall out
        ("bytes=0-1,200-300", [(0, 2)]),
        ("bytes=100-", []),
        ("bytes=100-200", []),
        ("bytes=-0", []),
        ("bytes=99999999999999999999999999-", []),
        # malformed, or none of ours: ignored
        ("bytes=", None),
        ("bytes", None),
        ("", None),
        ("bytes=-", None),
        ("bytes=5-4", None),
        ("bytes=5", None),
        ("bytes=a-b", None),
        ("bytes=0-1,x", None),
        ("bytes=--5", None),
        ("bytes=0 - 5", None),
        ("bytes=+1-5", None),
        ("bytes=1-5-9", None),
        ("items=0-1", None),
        ("bytes:0-1", None),
    ],
)
def test_a_range_field_means_these_parts_of_100_bytes(field: str, expected: list[tuple[int, int]] | None) -> None:
    assert select(field.encode(), 100) == expected


def test_an_empty_file_is_always_whole() -> None:
    assert select(b"bytes=0-", 0) is None


def test_too_many_ranges_get_the_whole_file() -> None:
    field = b"bytes=" + b",".join(b"%d-%d" % (2 * n, 2 * n) for n in range(MOST_RANGES))
    assert len(select(field, 1000) or ()) == MOST_RANGES
    assert select(field + b",900-", 1000) is None


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=1, max_size=MOST_RANGES),
    st.integers(1, 200),
)
def test_ranges_are_disjoint_within_the_file_and_hold_what_was_asked(pairs: list[tuple[int, int]], size: int) -> None:
    asked = [(min(pair), max(pair)) for pair in pairs]
    found = select(b"bytes=" + b",".join(b"%d-%d" % pair for pair in asked), size)
    assert found is not None
    covered = [position for one in found for position in range(one.start, one.end)]
    assert len(covered) == len(set(covered))
    assert set(covered) == {position for first, last in asked for position in range(first, min(last + 1, size))}


@given(st.text(alphabet="bytes=-,0123456789 \t;", max_size=60), st.integers(0, 10**12))
def test_no_range_field_is_too_strange(field: str, size: int) -> None:
    for one in select(field.encode(), size) or ():
        assert 0 <= one.start < one.end <= size


def test_content_range_says_what_is_sent() -> None:
    assert content_range(Range(5, 10), 100) == b"bytes 5-9/100"
    assert content_range(None, 100) == b"bytes */100"


# ---- several parts


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    file = tmp_path / "numbers"
    file.write_bytes(bytes(range(256)) * 2048)
    return file


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def test_several_parts_are_a_multipart_message(numbers: Path, recorder: Callable[..., Any]) -> None:
    wanted = [Range(300_000, 300_010), Range(0, 200_000), Range(524_287, 524_288)]
    descriptor = _open(numbers)
    body = Multipart(descriptor, wanted, 524_288, b"text/plain; charset=utf-8")
    announced = body.length
    sink = recorder()
    body.start(sink)
    assert sink.ended
    assert len(sink.data) == announced
    assert not _is_open(descriptor)

    head = b"Content-Type: multipart/byteranges; boundary=%b\r\n\r\n" % body.boundary
    parts = BytesParser(policy=HTTP).parsebytes(head + bytes(sink.data)).get_payload()
    data = numbers.read_bytes()
    assert [part["Content-Range"] for part in parts] == [
        "bytes 300000-300009/524288",
        "bytes 0-199999/524288",
        "bytes 524287-524287/524288",
    ]
    assert [part.get_content_type() for part in parts] == ["text/plain"] * 3
    # The email parser takes any bytes for text; split them by hand to compare.
    pieces = bytes(sink.data).split(b"--" + body.boundary)[1:-1]
    assert [piece.split(b"\r\n\r\n", 1)[1][:-2] for piece in pieces] == [data[one.start : one.end] for one in wanted]
    assert bytes(sink.data).endswith(b"\r\n--%b--\r\n" % body.boundary)


def test_a_paused_body_waits_and_goes_on_where_it_was(numbers: Path, recorder: Callable[..., Any]) -> None:
    ranges = [Range(0, 200_000), Range(300_000, 400_000)]
    whole, slow = recorder(), None
    first = Multipart(_open(numbers), ranges, 524_288, b"text/plain")
    first.start(whole)
    body = Multipart(_open(numbers), ranges, 524_288, b"text/plain")
    slow = recorder(body=body, pause_every=1)
    body.start(slow)
    while not slow.ended:
        written = slow.writes
        body.resume()
        assert slow.writes <= written + 1
    assert slow.data.replace(body.boundary, b"") == whole.data.replace(first.boundary, b"")


def test_a_cancelled_body_frees_its_file(numbers: Path, recorder: Callable[..., Any]) -> None:
    descriptor = _open(numbers)
    body = Multipart(descriptor, [Range(0, 200_000), Range(300_000, 400_000)], 524_288, b"text/plain")
    sink = recorder(body=body, pause_every=1)
    body.start(sink)
    body.cancel()
    body.resume()
    assert not _is_open(descriptor)
    assert not sink.ended
    assert sink.error is None
    assert sink.writes == 1


def test_a_file_that_shrank_breaks_the_body_off(numbers: Path, recorder: Callable[..., Any]) -> None:
    descriptor = _open(numbers)
    body = Multipart(descriptor, [Range(0, 200_000), Range(300_000, 400_000)], 524_288, b"text/plain")
    os.truncate(numbers, 100_000)
    sink = recorder()
    body.start(sink)
    assert isinstance(sink.error, BodyBroken)
    assert not sink.ended
    assert not _is_open(descriptor)
