"""Validators and conditional requests (RFC 9110 8.8 and 13), as functions of values."""

from __future__ import annotations

import re
import time
from calendar import timegm
from datetime import datetime
from enum import Enum, auto
from typing import NamedTuple

from edgescript.http.headers import Headers, combined, every

# ---- dates (RFC 9110 5.6.7)

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = {name.encode("ascii"): number for number, name in enumerate(_MONTHS, 1)}

_CLOCK = rb"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_NAMED = rb"(?P<month>" + b"|".join(_MONTH) + rb")"
_FORMS = (
    # Sun, 06 Nov 1994 08:49:37 GMT
    re.compile(rb"[A-Z][a-z]{2}, (?P<day>[0-9]{2}) " + _NAMED + rb" (?P<year>[0-9]{4}) " + _CLOCK + rb" GMT"),
    # Sunday, 06-Nov-94 08:49:37 GMT
    re.compile(rb"[A-Z][a-z]{5,8}, (?P<day>[0-9]{2})-" + _NAMED + rb"-(?P<year>[0-9]{2}) " + _CLOCK + rb" GMT"),
    # Sun Nov  6 08:49:37 1994
    re.compile(rb"[A-Z][a-z]{2} " + _NAMED + rb" (?P<day>[ 0-9][0-9]) " + _CLOCK + rb" (?P<year>[0-9]{4})"),
)


def http_date(seconds: int) -> bytes:
    """Seconds since 1970 as an IMF-fixdate, which knows no language."""
    year, month, day, hour, minute, second, weekday, *_ = time.gmtime(seconds)
    text = f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year:04} {hour:02}:{minute:02}:{second:02} GMT"
    return text.encode("ascii")


def parse_date(text: bytes) -> int | None:
    """Seconds since 1970 of a date in any of the three forms, or None if it is none."""
    for form in _FORMS:
        match = form.fullmatch(text)
        if match is not None:
            return _seconds(**match.groupdict())
    return None


def _seconds(*, day: bytes, month: bytes, year: bytes, hour: bytes, minute: bytes, second: bytes) -> int | None:
    full = int(year) if len(year) == 4 else _full_year(int(year), time.gmtime().tm_year)
    leap = second == b"60"
    try:
        moment = datetime(  # timegm below takes it for what it is, UTC
            full, _MONTH[month], int(day), int(hour), int(minute), 59 if leap else int(second)
        )
    except ValueError:
        return None
    return timegm(moment.timetuple()) + leap


def _full_year(two_digits: int, now: int) -> int:
    """A year that seems more than 50 years in the future is the last one in the past that ends so (RFC 9110 5.6.7)."""
    year = now - now % 100 + two_digits
    return year - 100 if year > now + 50 else year


# ---- validators (RFC 9110 8.8)


class Validators(NamedTuple):
    """What tells one state of a file from the next; None where a file has no such thing."""

    etag: bytes | None
    #: Seconds since 1970.
    modified: int | None


def validators(mtime_ns: int, size: int, now: float, variant: str = "") -> Validators:
    """
    The validators of a file with this modification time and size; `variant` tells its codings apart.

    Reproducible builds set every file's time to the epoch: such a time says nothing, and gives no validators. A time in
    the future gives no Last-Modified (RFC 9110 8.8.2.1).
    """
    seconds = mtime_ns // 1_000_000_000
    if seconds in (0, 1):
        return Validators(None, None)
    suffix = f"-{variant}" if variant else ""
    etag = f'"{mtime_ns & 0xFFFFFFFFFFFFFFFF:x}-{size:x}{suffix}"'.encode("ascii")
    return Validators(etag, seconds if 0 <= seconds <= now else None)


# ---- preconditions (RFC 9110 13)


class Outcome(Enum):
    """What becomes of a conditional request."""

    PROCEED = auto()
    NOT_MODIFIED = auto()  # 304
    FAILED = auto()  # 412


#: Of a request without any of these, the answer is PROCEED, and the whole file.
CONDITIONS = frozenset((
    b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since", b"if-range", b"range",
))  # fmt: skip

_TAG = re.compile(rb'[ \t,]*((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?=,|$)')


def evaluate(method: bytes, headers: Headers, current: Validators) -> Outcome:
    """The preconditions of a request, in the order of RFC 9110 13.2.2, for a file that exists."""
    reading = method in (b"GET", b"HEAD")
    if_match = combined(headers, b"if-match")
    if if_match is not None:
        if not _matches(if_match, current.etag, weak=False):
            return Outcome.FAILED
    elif _modified_since(headers, b"if-unmodified-since", current.modified) is True:
        return Outcome.FAILED

    if_none_match = combined(headers, b"if-none-match")
    if if_none_match is not None:
        if _matches(if_none_match, current.etag, weak=True):
            return Outcome.NOT_MODIFIED if reading else Outcome.FAILED
    elif reading and _modified_since(headers, b"if-modified-since", current.modified) is False:
        return Outcome.NOT_MODIFIED
    return Outcome.PROCEED


def _matches(field: bytes, etag: bytes | None, *, weak: bool) -> bool:
    """Whether a list of entity tags names `etag`, by the weak or the strong comparison (RFC 9110 8.8.3.2)."""
    if field == b"*":
        return True
    if etag is None:
        return False
    tags = _tags(field)
    if weak:
        return etag.removeprefix(b"W/") in [tag.removeprefix(b"W/") for tag in tags]
    return etag in tags and not etag.startswith(b"W/")


def _tags(field: bytes) -> list[bytes]:
    """The entity tags of a list, up to the first thing in it that is none. A tag may hold commas."""
    tags = []
    position = 0
    while match := _TAG.match(field, position):
        tags.append(match[1])
        position = match.end()
    return tags


def _modified_since(headers: Headers, name: bytes, modified: int | None) -> bool | None:
    """Whether the file is newer than the field's date; None where there is no such field or date (RFC 9110 13.1.3)."""
    values = every(headers, name)
    date = parse_date(values[0]) if len(values) == 1 else None
    return None if date is None or modified is None else modified > date


def range_applies(headers: Headers, current: Validators, now: float) -> bool:
    """Whether If-Range lets the Range field count (RFC 9110 13.1.5); without it, it does."""
    values = every(headers, b"if-range")
    if not values:
        return True
    if len(values) > 1:
        return False
    if b'"' in values[0]:
        return values[0] == current.etag and not values[0].startswith(b"W/")
    # A date is a strong validator only for a file that has been left alone for a second (RFC 9110 8.8.2.2).
    date = parse_date(values[0])
    return date is not None and date == current.modified and date + 1 < now
