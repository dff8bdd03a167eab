"""Parts of a file (RFC 9110 14): which ones a request means, and the body of several."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from typing import NamedTuple

from edgescript.http.body import BodyBroken, Sink
from edgescript.http.headers import elements

#: More ranges in one request get the whole file (RFC 9110 14.2). Precedents: Apache 200, IIS 5; players ask for one or two.
MOST_RANGES = 64

_SPEC = re.compile(rb"([0-9]*)-([0-9]*)")
#: A position that no file reaches, for numbers with more digits than any has.
_BEYOND = 10**18


class Range(NamedTuple):
    """Bytes `start` up to `end`, which is not among them."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


def select(field: bytes, size: int) -> list[Range] | None:
    """
    The parts of a file of `size` bytes that a Range field means; empty: none of them is there (416).

    None: the field is to be ignored, for its unit is not bytes, it is malformed, or asks for too many ranges; an empty
    file is whole whatever was asked. Ranges that overlap or touch become one, so that an answer is never longer than
    the file, and the rest stay in the order asked.
    """
    unit, separator, listed = field.partition(b"=")
    if not separator or unit.strip(b" \t").lower() != b"bytes" or size == 0:
        return None
    specs = elements([listed])
    if not 0 < len(specs) <= MOST_RANGES:
        return None
    found = []
    for spec in specs:
        match = _SPEC.fullmatch(spec)
        if match is None:
            return None
        try:
            one = _range(match[1], match[2], size)
        except ValueError:
            return None
        if one is not None:
            found.append(one)
    return _merged(found)


def _range(first: bytes, last: bytes, size: int) -> Range | None:
    """
    One range, cut to the file; None if nothing of it is there.

    :raises ValueError: if it is no range
    """
    if not first:
        if not last:
            raise ValueError("a range has at least one end")
        start, end = max(0, size - _position(last)), size
    else:
        start = _position(first)
        end = _position(last) + 1 if last else size
        if last and end <= start:
            raise ValueError("a range ends before it starts")
    end = min(end, size)
    return Range(start, end) if start < end else None


def _position(digits: bytes) -> int:
    return int(digits) if len(digits.lstrip(b"0")) <= 18 else _BEYOND


def _merged(ranges: list[Range]) -> list[Range]:
    """Overlapping and touching ranges as one, each at the place of its first part."""
    merged: list[tuple[int, Range]] = []
    for place, one in sorted(enumerate(ranges), key=lambda pair: pair[1]):
        if merged and one.start <= merged[-1][1].end:
            earlier, before = merged[-1]
            merged[-1] = min(earlier, place), Range(before.start, max(before.end, one.end))
        else:
            merged.append((place, one))
    return [one for _, one in sorted(merged)]


def content_range(one: Range | None, size: int) -> bytes:
    """The Content-Range field; of None, the one that says how long the file is (RFC 9110 14.4)."""
    return b"bytes */%d" % size if one is None else b"bytes %d-%d/%d" % (one.start, one.end - 1, size)


class Multipart:
    """
    Several parts of an open file as multipart/byteranges (RFC 9110 14.6): a `Body`, which closes the descriptor.

    A file that turns out shorter than it was breaks the body off.
    """

    __slots__ = ("_descriptor", "_left", "_paused", "_pieces", "_position", "_pushing", "_sink", "boundary", "length")

    #: Bytes of one read.
    CHUNK = 65536

    def __init__(self, descriptor: int, ranges: Sequence[Range], size: int, content_type: bytes) -> None:
        self.boundary = secrets.token_hex(16).encode("ascii")
        self._descriptor = descriptor
        #: What is to be sent, last first: bytes, or parts of the file.
        self._pieces: list[bytes | Range] = []
        for number, one in enumerate(ranges):
            self._pieces += [self._head(one, size, content_type, first=number == 0), one]
        self._pieces.append(b"\r\n--%b--\r\n" % self.boundary)
        self.length: int | None = sum(
            len(piece) if isinstance(piece, bytes) else piece.length for piece in self._pieces
        )
        self._pieces.reverse()
        self._position = self._left = 0
        self._sink: Sink | None = None
        self._paused = self._pushing = False

    def _head(self, one: Range, size: int, content_type: bytes, *, first: bool) -> bytes:
        return b"%b--%b\r\nContent-Type: %b\r\nContent-Range: %b\r\n\r\n" % (
            b"" if first else b"\r\n",
            self.boundary,
            content_type,
            content_range(one, size),
        )

    def start(self, sink: Sink) -> None:
        self._sink = sink
        self._push()

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        # A sink that pauses and resumes inside `write` is still in the loop below.
        if not self._pushing:
            self._push()

    def cancel(self) -> None:
        self._sink = None
        self._close()

    def detach(self) -> tuple[int, bytes] | None:
        return None

    def reattach(self, remaining: int) -> None:
        raise AssertionError("a multipart body is never detached")

    def _push(self) -> None:
        self._pushing = True
        try:
            while self._sink is not None and not self._paused:
                self._step(self._sink)
        finally:
            self._pushing = False

    def _step(self, sink: Sink) -> None:
        try:
            data = self._next()
        except (OSError, BodyBroken) as error:
            self.cancel()
            sink.fail(
                error if isinstance(error, BodyBroken) else BodyBroken(f"the file cannot be read: {error.strerror}")
            )
            return
        if data is None:
            self.cancel()
            sink.end([])
        else:
            sink.write(data)

    def _next(self) -> bytes | None:
        """The next bytes; None behind the last."""
        if self._left:
            data = os.pread(self._descriptor, min(self._left, self.CHUNK), self._position)
            if not data:
                raise BodyBroken("the file is shorter than it was")
            self._position += len(data)
            self._left -= len(data)
            return data
        if not self._pieces:
            return None
        piece = self._pieces.pop()
        if isinstance(piece, bytes):
            return piece
        self._position, self._left = piece.start, piece.length
        return self._next()

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
