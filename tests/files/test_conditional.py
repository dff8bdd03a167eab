from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgescript.files.conditional import Outcome, Validators, evaluate, http_date, parse_date, range_applies, validators

MODIFIED = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT
SAME = "Sun, 06 Nov 1994 08:49:37 GMT"
EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT"
LATER = "Sun, 06 Nov 1994 08:49:38 GMT"
CURRENT = Validators(b'"now"', MODIFIED)

PROCEED, NOT_MODIFIED, FAILED = Outcome.PROCEED, Outcome.NOT_MODIFIED, Outcome.FAILED


def fields(**headers: str) -> list[tuple[bytes, bytes]]:
    return [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("GET", {}, PROCEED),
        # If-Match: strong comparison
        ("GET", {"if_match": '"now"'}, PROCEED),
        ("GET", {"if_match": '"old", "now"'}, PROCEED),
        ("GET", {"if_match": "*"}, PROCEED),
        ("GET", {"if_match": '"old"'}, FAILED),
        ("GET", {"if_match": 'W/"now"'}, FAILED),
        ("GET", {"if_match": "now"}, FAILED),
        ("GET", {"if_match": ""}, FAILED),
        # If-None-Match: weak comparison
        ("GET", {"if_none_match": '"now"'}, NOT_MODIFIED),
        ("HEAD", {"if_none_match": '"now"'}, NOT_MODIFIED),
        ("GET", {"if_none_match": 'W/"now"'}, NOT_MODIFIED),
        ("GET", {"if_none_match": '"a,b" ,W/"now"'}, NOT_MODIFIED),
        ("GET", {"if_none_match": "*"}, NOT_MODIFIED),
        ("GET", {"if_none_match": '"old"'}, PROCEED),
        ("GET", {"if_none_match": "now"}, PROCEED),
        ("GET", {"if_none_match": '"old" "now"'}, PROCEED),
        ("PUT", {"if_none_match": '"now"'}, FAILED),
        ("PUT", {"if_none_match": "*"}, FAILED),
        # dates
        ("GET", {"if_modified_since": SAME}, NOT_MODIFIED),
        ("GET", {"if_modified_since": LATER}, NOT_MODIFIED),
        ("GET", {"if_modified_since": EARLIER}, PROCEED),
        ("GET", {"if_modified_since": "yesterday"}, PROCEED),
        ("PUT", {"if_modified_since": SAME}, PROCEED),
        ("GET", {"if_unmodified_since": SAME}, PROCEED),
        ("GET", {"if_unmodified_since": LATER}, PROCEED),
        ("GET", {"if_unmodified_since": EARLIER}, FAILED),
        ("GET", {"if_unmodified_since": "yesterday"}, PROCEED),
        # precedence, RFC 9110 13.2.2
        ("GET", {"if_match": '"now"', "if_unmodified_since": EARLIER}, PROCEED),
        ("GET", {"if_none_match": '"old"', "if_modified_since": SAME}, PROCEED),
        ("GET", {"if_match": '"old"', "if_none_match": '"now"'}, FAILED),
        ("GET", {"if_match": '"now"', "if_none_match": '"now"'}, NOT_MODIFIED),
        ("GET", {"if_unmodified_since": SAME, "if_modified_since": SAME}, NOT_MODIFIED),
    ],
)
def test_preconditions_have_the_outcome_of_the_rfc(method: str, headers: dict[str, str], expected: Outcome) -> None:
    assert evaluate(method.encode(), fields(**headers), CURRENT) is expected


def test_a_date_that_is_given_twice_is_ignored() -> None:
    twice = fields(if_modified_since=SAME) * 2
    assert evaluate(b"GET", twice, CURRENT) is PROCEED


def test_entity_tags_over_several_lines_are_one_list() -> None:
    lines = [(b"if-none-match", b'"old"'), (b"if-none-match", b'"now"')]
    assert evaluate(b"GET", lines, CURRENT) is NOT_MODIFIED


@pytest.mark.parametrize(
    "headers", [{"if_none_match": '"x"'}, {"if_modified_since": SAME}, {"if_unmodified_since": EARLIER}]
)
def test_a_file_without_validators_is_always_sent(headers: dict[str, str]) -> None:
    assert evaluate(b"GET", fields(**headers), Validators(None, None)) is PROCEED


@pytest.mark.parametrize(
    ("if_range", "now", "expected"),
    [
        (None, MODIFIED, True),
        ('"now"', MODIFIED, True),
        ('"old"', MODIFIED, False),
        ('W/"now"', MODIFIED, False),
        (SAME, MODIFIED + 60, True),
        (SAME, MODIFIED, False),
        (LATER, MODIFIED + 60, False),
        (EARLIER, MODIFIED + 60, False),
        ("nonsense", MODIFIED + 60, False),
    ],
)
def test_if_range_takes_only_strong_validators(if_range: str | None, now: float, expected: bool) -> None:
    headers = [] if if_range is None else fields(if_range=if_range)
    assert range_applies(headers, CURRENT, now) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"Sun, 06 Nov 1994 08:49:37 GMT", MODIFIED),
        (b"Sunday, 06-Nov-94 08:49:37 GMT", MODIFIED),
        (b"Sun Nov  6 08:49:37 1994", MODIFIED),
        (b"Sun Nov 06 08:49:37 1994", MODIFIED),
        (b"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800),
        (b"Thu, 01 Jan 1970 00:00:00 GMT", 0),
        (b"Thu, 01 Jan 1970 00:00:00 UTC", None),
        (b"Thu, 32 Jan 1970 00:00:00 GMT", None),
        (b"Thu, 29 Feb 2023 00:00:00 GMT", None),
        (b"Thu, 01 Jan 0000 00:00:00 GMT", None),
        (b"Thu, 01 Jan 1970 24:00:00 GMT", None),
        (b"Thu, 01 Jan 1970 00:00:61 GMT", None),
        (b"Thu, 01 Jan 1970 00:00:00 GMT ", None),
        (b"Thu Jan    1 00:00:00 1970", None),
        (b"Thu Jan    00:00:00 1970", None),
        (b"784111777", None),
        (b"", None),
    ],
)
def test_dates_are_read_in_three_forms(text: bytes, expected: int | None) -> None:
    assert parse_date(text) == expected


@given(st.integers(min_value=-2_000_000_000, max_value=250_000_000_000))
def test_a_date_that_is_written_is_read_again(seconds: int) -> None:
    assert parse_date(http_date(seconds)) == seconds


@given(st.binary(max_size=64))
def test_no_bytes_are_too_strange_for_a_date(text: bytes) -> None:
    parse_date(text)


@given(st.text(alphabet='W/", \t*ab\x00\xff', max_size=40))
def test_no_list_of_entity_tags_is_too_strange(text: str) -> None:
    raw = text.encode("latin-1")
    for name in (b"if-match", b"if-none-match", b"if-range"):
        evaluate(b"GET", [(name, raw)], CURRENT)
        range_applies([(name, raw)], CURRENT, MODIFIED)


def test_validators_follow_from_time_and_size() -> None:
    assert validators(MODIFIED * 10**9 + 5, 255, MODIFIED + 1) == (b'"ae1b981bc490a05-ff"', MODIFIED)
    assert validators(MODIFIED * 10**9 + 5, 255, MODIFIED + 1, "br") == (b'"ae1b981bc490a05-ff-br"', MODIFIED)


def test_the_epoch_says_nothing_about_a_file() -> None:
    assert validators(0, 5, MODIFIED) == (None, None)
    assert validators(1_000_000_000, 5, MODIFIED) == (None, None)


def test_a_time_in_the_future_is_no_last_modified() -> None:
    assert validators(MODIFIED * 10**9, 5, MODIFIED - 1).modified is None
    assert validators(MODIFIED * 10**9, 5, MODIFIED - 1).etag is not None


def test_a_time_before_the_epoch_is_no_last_modified() -> None:
    assert validators(-5 * 10**9, 5, MODIFIED).modified is None
