"""The head of a response, and what it says about the body behind it: bytes in, values out.

Strict, because what a client is sent depends on where a response ends: whatever could be read in two ways is refused.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from edgescript.http.fields import parse_fields
from edgescript.http.headers import Headers, elements
from edgescript.upstream import hygiene

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*+)?")
_BEGINNING = b"HTTP/1."
_LONE_LINE_END = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)")
_MOST_DIGITS = 18

#: The length of a body that is chunked, or that ends with the connection.
CHUNKED = -1
UNTIL_CLOSE = -2

#: Statuses whose responses never have a body (RFC 9112 6.3), beside those below 200.
_BODILESS = frozenset((204, 304))
#: Of the fields that end here, those that a response without a body takes along: the length that GET would have had
#: (RFC 9110 8.6), and the protocol that was changed to.
_KEPT = {101: (b"upgrade",), 204: ()}
_KEPT_OF_HEAD = (b"content-length",)


class Malformed(Exception):
    """The response is against the protocol."""


#: Status; the fields that pass on to the client; bytes of body, CHUNKED or UNTIL_CLOSE; and whether the connection may serve
#: another exchange when the body is whole. (A named tuple takes five times as long to make.)
Head = tuple[int, Headers, int, bool]


class _Options(NamedTuple):
    """What a Connection field says."""

    close: bool
    keep_alive: bool
    #: The other fields that it names: they end here too.
    named: frozenset[bytes]


_NO_OPTIONS = _Options(False, False, frozenset())


def could_be_head(data: bytes) -> bool:
    """Whether these bytes can be the beginning of a head: if not, there is no need to wait for its end."""
    begins = data.startswith(_BEGINNING) or _BEGINNING.startswith(data)
    return begins and _LONE_LINE_END.search(data) is None


def read_head(data: bytes, end: int, *, head_only: bool) -> Head:
    """
    What the head in `data` says.

    :param end: where its last field ends
    :param head_only: the request was HEAD
    :raises Malformed: if it is no head, or contradicts itself
    """
    line, _, block = data[:end].partition(b"\r\n")
    status, minor = _status(line)
    try:
        fields = parse_fields(block)
    except ValueError as error:
        raise Malformed(str(error)) from None
    headers: Headers = []
    length = UNTIL_CLOSE
    connection = None
    for field in fields:
        name, value = field
        if name not in hygiene.ENDS_HERE:
            headers.append(field)
        elif name == b"content-length":
            length = _length(value, length)
        elif name == b"connection":
            connection = value if connection is None else b"%b,%b" % (connection, value)
        elif name == b"transfer-encoding":
            length = _chunked(value, length, minor)
    closes, keeps, named = _NO_OPTIONS if connection is None else _options(connection)
    if named:
        headers = [field for field in headers if field[0] not in named]
    keep = not closes and (minor == 1 or keeps)
    if head_only or status < 200 or status in _BODILESS:
        headers += [field for field in fields if field[0] in _KEPT.get(status, _KEPT_OF_HEAD)]
        return status, headers, 0, keep
    return status, headers, length, keep and length != UNTIL_CLOSE


@lru_cache(maxsize=256)
def _status(line: bytes) -> tuple[int, int]:
    """Status and minor version."""
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise Malformed("the status line is no good")
    return int(match[2]), int(match[1])


def _length(value: bytes, before: int) -> int:
    if before != UNTIL_CLOSE or not value.isdigit() or len(value) > _MOST_DIGITS:
        raise Malformed("the Content-Length is no number, or not the only length")
    return int(value)


def _chunked(value: bytes, before: int, minor: int) -> int:
    # Nothing but chunked was asked for; other codings, and HTTP/1.0, have no safe reading (RFC 9112 6.1, 6.3).
    if before != UNTIL_CLOSE or value.lower() != b"chunked" or minor == 0:
        raise Malformed("the transfer coding is not chunked, or not the only length")
    return CHUNKED


@lru_cache(maxsize=256)
def _options(connection: bytes) -> _Options:
    options = {option.lower() for option in elements((connection,))}
    named = frozenset(options - hygiene.ENDS_HERE - {b"close"})
    return _Options(b"close" in options, b"keep-alive" in options, named)
