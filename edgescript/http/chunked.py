"""The chunked transfer coding (RFC 9112 7.1), decoded piece by piece."""

from __future__ import annotations

import re

from edgescript.http.headers import Headers

#: A chunk's first line. Extensions are read over; white space before them is refused as bad in both RFC 9112 and practice.
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})((?:;[\t\x20-\x7e\x80-\xff]*+)?)\r\n")
_SIZE_BEGINNING = re.compile(rb"[0-9A-Fa-f]{0,15}(?:[0-9A-Fa-f];[\t\x20-\x7e\x80-\xff]*+)?\r?")
_TRAILERS = re.compile(rb"((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t\x20-\x7e\x80-\xff]*+\r\n)*+)\r\n")
#: What trailers that have not come to their end can look like.
_TRAILERS_BEGINNING = re.compile(
    rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t\x20-\x7e\x80-\xff]*+\r\n)*+[\t\x20-\x7e\x80-\xff]*+\r?"
)
_MOST_LINE = 4096
_MOST_TRAILERS = 16 * 1024
#: Bytes of extensions, less the bytes of data they came with, that one body may have.
_MOST_EXTENSIONS = 16 * 1024

#: Fields that frame, route or authenticate a message must not come as trailers (RFC 9110 6.5.1); they are dropped.
_NOT_AS_TRAILERS = frozenset(
    (
        b"authorization",
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-range",
        b"content-type",
        b"host",
        b"te",
        b"trailer",
        b"transfer-encoding",
    )
)


class BadChunk(Exception):
    """The coding is malformed."""


class Decoder:
    """
    Decodes one chunked body.

    `feed` gives the data in what it is fed. When `done` is true, `trailers` holds the trailer fields, and `rest` the
    bytes behind the body.
    """

    __slots__ = ("_extensions", "_left", "_pending", "done", "rest", "trailers")

    def __init__(self) -> None:
        self.done = False
        self.trailers: Headers = []
        self.rest = b""
        #: Bytes of the current chunk still to come, 0 while its CRLF is; None before a size line, -1 behind the last.
        self._left: int | None = None
        self._pending = b""
        self._extensions = 0

    def feed(self, data: bytes) -> list[bytes]:
        """
        The pieces of the body in `data`.

        :raises BadChunk: if the coding is malformed, or its lines or trailers too long
        """
        if self._pending:
            data = self._pending + data
            self._pending = b""
        pieces: list[bytes] = []
        position = 0
        while not self.done and position < len(data):
            before = position
            if self._left is None:
                position = self._size(data, position)
            elif self._left > 0:
                piece = data[position : position + self._left]
                pieces.append(piece)
                position += len(piece)
                self._left -= len(piece)
            elif self._left == 0:
                position = self._chunk_end(data, position)
            else:
                position = self._trailers(data, position)
            if position == before:
                self._pending = data[position:]
                break
        if self.done:
            self.rest = data[position:]
        return pieces

    def _size(self, data: bytes, position: int) -> int:
        line = _SIZE.match(data, position)
        if line is None:
            if len(data) - position > _MOST_LINE or _SIZE_BEGINNING.fullmatch(data, position) is None:
                raise BadChunk("a chunk's size is malformed")
            return position
        size = int(line[1], 16)
        self._extensions = max(0, self._extensions + len(line[2]) - size)
        if self._extensions > _MOST_EXTENSIONS or len(line[2]) > _MOST_LINE:
            raise BadChunk("the chunks have too many extensions")
        self._left = size if size else -1
        return line.end()

    def _chunk_end(self, data: bytes, position: int) -> int:
        end = data[position : position + 2]
        if end == b"\r\n":
            self._left = None
            return position + 2
        if end != b"\r":
            raise BadChunk("a chunk is longer than its size")
        return position

    def _trailers(self, data: bytes, position: int) -> int:
        found = _TRAILERS.match(data, position)
        if found is None:
            if len(data) - position > _MOST_TRAILERS or _TRAILERS_BEGINNING.fullmatch(data, position) is None:
                raise BadChunk("the trailers are malformed or too long")
            return position
        for line in found[1].split(b"\r\n")[:-1]:
            name, _, value = line.partition(b":")
            if name.lower() not in _NOT_AS_TRAILERS:
                self.trailers.append((name.lower(), value.strip()))
        self.done = True
        return found.end()
