"""What header fields say about a body, and what becomes of them when it is changed: values in, values out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from edgescript.http.headers import Headers, elements, every, first, remove

#: Fields about the very bytes of a body: none of them is true of the changed one (RFC 9530, RFC 3230, RFC 1864; and
#: RFC 9110 14.3: parts of what is made on the fly cannot be asked for).
_OF_BYTES = frozenset(
    (b"accept-ranges", b"content-digest", b"content-length", b"content-md5", b"digest", b"repr-digest")
)

#: Statuses whose body, if they have one, is not the whole of anything.
NOT_WHOLE = frozenset((204, 206, 304))

_TAG = re.compile(rb'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')


def is_whole(status: int, headers: Headers) -> bool:
    """Whether a response has all of a representation as its body (RFC 9110 6.4)."""
    return status >= 200 and status not in NOT_WHOLE and first(headers, b"content-range") is None


def forbids_transforming(headers: Headers) -> bool:
    """RFC 9111 5.2.2.6."""
    controls = every(headers, b"cache-control")
    return bool(controls) and b"no-transform" in map(bytes.lower, elements(controls))


def said_length(headers: Headers) -> int | None:
    """The length that a response to HEAD says."""
    said = first(headers, b"content-length")
    return int(said) if said is not None and said.isdigit() and len(said) <= 18 else None


def vary_by_encoding(headers: Headers) -> None:
    """Say that the response depends on what codings the client takes (RFC 9110 12.5.5)."""
    listed = set(map(bytes.lower, elements(every(headers, b"vary"))))
    if not listed & {b"accept-encoding", b"*"}:
        headers.append((b"vary", b"accept-encoding"))


def body_changes(headers: Headers) -> None:
    """
    The fields of a response whose body is changed on the way.

    Two bodies that mean the same are alike by the weak comparison only: a strong entity tag becomes a weak one.
    """
    headers[:] = [
        (name, _weak(value)) if name == b"etag" else (name, value) for name, value in headers if name not in _OF_BYTES
    ]


def without_digests(trailers: Headers) -> Headers:
    """The trailers of a body that was changed."""
    return [pair for pair in trailers if pair[0] not in _OF_BYTES]


def not_modified(asked: Headers, headers: Headers) -> None:
    """
    The entity tag of a 304 is that of the response which the client has (RFC 9110 15.4.5): weak, where we made it so.

    :param asked: the request's fields
    """
    tag = first(headers, b"etag")
    if tag is None or tag.startswith(b"W/"):
        return
    weak = _weak(tag)
    if any(weak in _TAG.findall(value) for value in every(asked, b"if-none-match")):
        headers[:] = [(name, weak if name == b"etag" else value) for name, value in headers]


def has_no_validators(headers: Headers) -> None:
    """Take away what would let a client ask whether the response is still the same."""
    remove(headers, b"etag")
    remove(headers, b"last-modified")


def _weak(tag: bytes) -> bytes:
    return tag if tag.startswith(b"W/") else b"W/" + tag


# ---- types


def type_test(patterns: Iterable[str]) -> Callable[[Headers], bool]:
    """Whether a response's media type is one of those listed; `*` in one stands for anything."""
    written = "|".join(re.escape(pattern.lower()).replace(r"\*", ".*") for pattern in patterns)
    fits = re.compile(written.encode()).fullmatch

    @lru_cache(maxsize=256)
    def known(value: bytes) -> bool:
        return fits(value.partition(b";")[0].strip(b" \t").lower()) is not None

    def test(headers: Headers) -> bool:
        value = first(headers, b"content-type")
        return value is not None and known(value)

    return test


def is_event_stream(headers: Headers) -> bool:
    """Server-sent events: every piece is meant to be seen at once."""
    value = first(headers, b"content-type")
    return value is not None and value.partition(b";")[0].strip(b" \t").lower() == b"text/event-stream"
