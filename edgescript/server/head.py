"""The grammar of a request's head, and what its fields say about framing: bytes in, values or a refusal out.

This is a grammar of what is allowed (RFC 9112 2-6), not a list of what is forbidden: a head that does not match as a whole is
refused and never forwarded. Two expressions without backtracking take about as long as a table-driven C parser with one
callback for each field, and unlike such parsers they leave no tolerance for bare LF, obs-fold or stray white space that
a server behind might read differently.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from edgescript.http.headers import Headers, elements, every

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"

#: The request line. A target is any visible bytes without `#`, which no client may send (RFC 9112 3.2).
REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([\x21\x22\x24-\x7e\x80-\xff]++) HTTP/1\.([01])\r\n")

#: RFC 9112 2.2: empty lines before the request line are read over.
EMPTY_LINES = re.compile(rb"(?:\r\n)++")

#: Request lines of versions that are not ours; HTTP/0.x never was one.
_OTHER_VERSION = re.compile(_TOKEN + rb" [\x21-\x7e\x80-\xff]++ HTTP/(?:1\.[2-9]|[2-9]\.[0-9])\r\n")
#: What no beginning of a head can have: a lone CR or LF, or another control character but the tab.
_NEVER = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)|[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")
#: What an unfinished first line can look like; also half of an empty one.
_BEGINNING = re.compile(rb"\r|(?:" + _TOKEN + rb"(?: [\x21\x22\x24-\x7e\x80-\xff]*+(?: [HTP/1.0]*\r?)?)?)?")
_DIGITS = re.compile(rb"[0-9]{1,18}")

CHUNKED = -1

_FRAMING = frozenset((b"connection", b"content-length", b"expect", b"transfer-encoding"))


class Refusal(Exception):
    """A request that is answered with an error and the end of the connection, because its framing cannot be trusted."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason


class Framing(NamedTuple):
    """What the fields of a head say about the message and the connection."""

    #: Bytes of body, or CHUNKED.
    length: int
    #: The connection may serve another request.
    persistent: bool
    #: The client waits for `100 Continue` before it sends the body.
    expects_continue: bool


#: Of a head without any field of framing, by its minor version.
_PLAIN = {b"0": Framing(0, False, False), b"1": Framing(0, True, False)}


def framing(headers: Headers, minor: bytes) -> Framing:
    """
    How a request is framed.

    :param minor: the minor version, `0` or `1`
    :raises Refusal: if it could be read in two ways
    """
    fields = [field for field in headers if field[0] in _FRAMING]
    if not fields:
        return _PLAIN[minor]
    return Framing(body_length(fields, minor), _persistent(fields, minor), _expects_continue(fields, minor))


def body_length(headers: Headers, minor: bytes) -> int:
    """
    How long the body of a request is, or CHUNKED.

    :raises Refusal: if that could be read in two ways (RFC 9112 6.3)
    """
    codings = every(headers, b"transfer-encoding")
    lengths = every(headers, b"content-length")
    if codings:
        if lengths:
            raise Refusal(400, "the request has both Content-Length and Transfer-Encoding")
        return _coded(codings, minor)
    if not lengths:
        return 0
    # RFC 9112 6.3 lets a recipient take equal lengths for one; a second one is never sent by mistake, so it is refused.
    if len(lengths) > 1 or _DIGITS.fullmatch(lengths[0]) is None:
        raise Refusal(400, "the Content-Length is malformed")
    return int(lengths[0])


def _coded(values: list[bytes], minor: bytes) -> int:
    if minor == b"0":  # RFC 9112 6.1: faulty framing
        raise Refusal(400, "an HTTP/1.0 request has a Transfer-Encoding")
    codings = [coding.lower() for coding in elements(values)]
    if not codings or codings[-1] != b"chunked" or codings.count(b"chunked") > 1:
        raise Refusal(400, "the Transfer-Encoding does not end in one chunked coding")
    if len(codings) > 1:
        raise Refusal(501, "the Transfer-Encoding is not supported")
    return CHUNKED


def _persistent(headers: Headers, minor: bytes) -> bool:
    options = [option.lower() for option in elements(every(headers, b"connection"))]
    if minor == b"0":
        return b"keep-alive" in options and b"close" not in options
    return b"close" not in options


def _expects_continue(headers: Headers, minor: bytes) -> bool:
    expectations = every(headers, b"expect")
    if not expectations or minor == b"0":  # RFC 9110 10.1.1: ignored in HTTP/1.0
        return False
    if [value.lower() for value in expectations] != [b"100-continue"]:
        raise Refusal(417, "the expectation is not known")
    return True


def refuse_malformed(head: bytes) -> Refusal:
    """Why a whole head has no acceptable request line."""
    if _OTHER_VERSION.match(head):
        return Refusal(505, "the HTTP version is not supported")
    return Refusal(400, "the request line is malformed")


def check_unfinished(data: bytes, *, scanned: int, max_size: int, max_target: int) -> None:
    """
    Refuse the beginning of a head as soon as nothing that follows can make it a good one.

    :param scanned: how much of it was checked before
    :raises Refusal: if it is malformed, or too large already
    """
    if _NEVER.search(data, max(scanned - 1, 0)):
        raise Refusal(400, "the head has a character that cannot stand there")
    line_end = data.find(b"\r\n")
    if line_end < 0:
        if len(data) > max_target + 32:  # method, version, spaces
            raise Refusal(414, "the request target is too long")
        if scanned < 64 and _BEGINNING.fullmatch(data) is None:
            raise Refusal(400, "the request line is malformed")
    elif scanned <= line_end + 2 and REQUEST_LINE.match(data) is None:
        raise refuse_malformed(data)
    if len(data) > max_size:
        raise Refusal(431, "the request's head is too large")
