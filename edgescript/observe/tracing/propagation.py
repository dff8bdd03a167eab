"""How a trace goes from one server to the next: what request fields say of it, in each of the formats.

Functions of values. What is malformed counts as not there: a trace begins anew rather than in the wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from edgescript.http.headers import Headers

#: Bytes of tracestate that are passed on (W3C Trace Context 3.3.1.5 asks for at least 512) and of baggage (W3C Baggage 3.3.2
#: asks for at least 8192).
MOST_STATE = 1024
MOST_BAGGAGE = 8192


class Parent(NamedTuple):
    """Where a request comes from. Without ids it only says whether to record."""

    trace_id: str
    span_id: str
    #: Whether it is recorded there; None: left to us.
    sampled: bool | None
    #: Passed on as it came.
    state: bytes = b""


Fields = dict[bytes, bytes]
Extract = Callable[[Fields], Parent | None]
Inject = Callable[[str, str, bool, bytes], Headers]


class Format(NamedTuple):
    """One way to write it."""

    #: The fields that say it, lower-case.
    fields: frozenset[bytes]
    extract: Extract
    inject: Inject


# ---- W3C Trace Context, https://www.w3.org/TR/trace-context/

_TRACEPARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NO_TRACE, _NO_SPAN = b"0" * 32, b"0" * 16


def _from_w3c(fields: Fields) -> Parent | None:
    match = _TRACEPARENT.fullmatch(fields.get(b"traceparent", b"").strip(b" \t"))
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == b"ff" or (version == b"00" and more) or trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    state = fields.get(b"tracestate", b"")
    sampled = bool(int(flags, 16) & 1)
    return Parent(trace_id.decode(), span_id.decode(), sampled, state if len(state) <= MOST_STATE else b"")


def _to_w3c(trace_id: str, span_id: str, sampled: bool, state: bytes) -> Headers:
    made = [(b"traceparent", f"00-{trace_id}-{span_id}-{'01' if sampled else '00'}".encode())]
    return [*made, (b"tracestate", state)] if state else made


# ---- B3, https://github.com/openzipkin/b3-propagation

_B3 = re.compile(rb"([0-9a-f]{16}|[0-9a-f]{32})-([0-9a-f]{16})(?:-([01d])(?:-[0-9a-f]{16})?)?")
_B3_SAMPLED = {b"0": False, b"1": True, b"d": True, b"false": False, b"true": True}
_B3_TRACE, _B3_SPAN = re.compile(rb"[0-9a-f]{16}|[0-9a-f]{32}"), re.compile(rb"[0-9a-f]{16}")


def _from_b3(fields: Fields) -> Parent | None:
    text = fields.get(b"b3", b"").strip(b" \t").lower()
    if text in (b"0", b"1", b"d"):
        return Parent("", "", _B3_SAMPLED[text])
    match = _B3.fullmatch(text)
    if match is None:
        return None
    trace_id, span_id, sampled = match.groups()
    return _parent(trace_id, span_id, None if sampled is None else _B3_SAMPLED[sampled])


def _to_b3(trace_id: str, span_id: str, sampled: bool, state: bytes) -> Headers:
    return [(b"b3", f"{trace_id}-{span_id}-{'1' if sampled else '0'}".encode())]


def _from_b3_multi(fields: Fields) -> Parent | None:
    sampled = True if fields.get(b"x-b3-flags") == b"1" else _B3_SAMPLED.get(fields.get(b"x-b3-sampled", b"").lower())
    trace_id = fields.get(b"x-b3-traceid", b"").lower()
    span_id = fields.get(b"x-b3-spanid", b"").lower()
    if _B3_TRACE.fullmatch(trace_id) is None or _B3_SPAN.fullmatch(span_id) is None:
        return None if sampled is None else Parent("", "", sampled)
    return _parent(trace_id, span_id, sampled)


def _to_b3_multi(trace_id: str, span_id: str, sampled: bool, state: bytes) -> Headers:
    return [
        (b"x-b3-traceid", trace_id.encode()),
        (b"x-b3-spanid", span_id.encode()),
        (b"x-b3-sampled", b"1" if sampled else b"0"),
    ]


# ---- Jaeger, https://www.jaegertracing.io/sdk-migration/#propagation-format

_JAEGER = re.compile(rb"([0-9a-f]{1,32}):([0-9a-f]{1,16}):[0-9a-f]{1,16}:([0-9a-f]{1,2})")


def _from_jaeger(fields: Fields) -> Parent | None:
    text = fields.get(b"uber-trace-id", b"").strip(b" \t").lower().replace(b"%3a", b":")
    match = _JAEGER.fullmatch(text)
    if match is None:
        return None
    trace_id, span_id, flags = match.groups()
    return _parent(trace_id, span_id, bool(int(flags, 16) & 1))


def _to_jaeger(trace_id: str, span_id: str, sampled: bool, state: bytes) -> Headers:
    return [(b"uber-trace-id", f"{trace_id}:{span_id}:0:{1 if sampled else 0}".encode())]


def _parent(trace_id: bytes, span_id: bytes, sampled: bool | None) -> Parent | None:
    """Shorter ids are filled up with zeros at their left."""
    trace, span = trace_id.decode().rjust(32, "0"), span_id.decode().rjust(16, "0")
    return None if not trace.strip("0") or not span.strip("0") else Parent(trace, span, sampled)


# ---- all of them

FORMATS = {
    "w3c": Format(frozenset((b"traceparent", b"tracestate")), _from_w3c, _to_w3c),
    "b3": Format(frozenset((b"b3",)), _from_b3, _to_b3),
    "b3multi": Format(
        frozenset((b"x-b3-traceid", b"x-b3-spanid", b"x-b3-parentspanid", b"x-b3-sampled", b"x-b3-flags")),
        _from_b3_multi,
        _to_b3_multi,
    ),
    "jaeger": Format(frozenset((b"uber-trace-id",)), _from_jaeger, _to_jaeger),
}


class Propagation:
    """
    The formats that a server reads, in this order, and writes, all of them.

    Baggage needs no writing: its field is passed on as every other.
    """

    __slots__ = ("fields", "formats")

    def __init__(self, names: Sequence[str]) -> None:
        self.formats = tuple(FORMATS[name] for name in names)
        #: All that say something about a trace.
        self.fields: frozenset[bytes] = frozenset().union(*(one.fields for one in self.formats))

    def extract(self, headers: Headers) -> Parent | None:
        """Where a request comes from, by the first format that says so."""
        fields = _single([pair for pair in headers if pair[0] in self.fields])
        decided: Parent | None = None
        for one in self.formats:
            parent = one.extract(fields)
            if parent is not None and parent.trace_id:
                return parent
            decided = decided or parent
        return decided

    def inject(self, headers: Headers, trace_id: str, span_id: str, *, sampled: bool, state: bytes) -> None:
        """Say it in the header of a request, in place of what it says so far."""
        wanted = self.fields
        headers[:] = [pair for pair in headers if pair[0] not in wanted]
        self.add(headers, trace_id, span_id, sampled=sampled, state=state)

    def add(self, headers: Headers, trace_id: str, span_id: str, *, sampled: bool, state: bytes) -> None:
        """Say it in the header of a request that says nothing so far."""
        for one in self.formats:
            headers += one.inject(trace_id, span_id, sampled, state)


def _single(pairs: Headers) -> Fields:
    """Fields by name. One that comes twice is no value, but tracestate is a list (W3C Trace Context 3.3.1)."""
    fields: Fields = {}
    doubled: set[bytes] = set()
    for name, value in pairs:
        if name not in fields:
            fields[name] = value
        elif name == b"tracestate":
            fields[name] += b"," + value
        else:
            doubled.add(name)
    for name in doubled:
        del fields[name]
    return fields


def baggage(value: bytes | None) -> dict[str, str]:
    """The members of a baggage field (W3C Baggage 3.3.1), without their properties; malformed ones are left out."""
    from urllib.parse import unquote

    members: dict[str, str] = {}
    if value is None or len(value) > MOST_BAGGAGE:
        return members
    for member in value.decode("latin-1").split(","):
        name, equals, text = member.partition(";")[0].partition("=")
        if equals and _KEY.fullmatch(name.strip()):
            members.setdefault(name.strip(), unquote(text.strip()))
    return members


_KEY = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
