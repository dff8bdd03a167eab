"""The body of a request on its way in, where it did not come in one piece with the head."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from edgescript.http.body import BodyBroken, Sink
from edgescript.http.chunked import BadChunk, Decoder
from edgescript.http.headers import Headers
from edgescript.http.message import HTTPError, body_is_gone

if TYPE_CHECKING:
    from edgescript.server.http1 import Connection

#: Bytes that are read ahead of a step that has not asked for the body yet.
_READ_AHEAD = 64 * 1024
#: Bytes of an unwanted body that are read and dropped so that the connection can go on; nginx has 1 MiB in its buffers,
#: Go's net/http 256 KiB.
MOST_DROPPED = 256 * 1024


class Mode(IntEnum):
    """Where the bytes go."""

    WAITING = 0  # nobody has asked for them
    PUSHING = 1  # into a sink
    DROPPING = 2  # nowhere


class RequestBody:
    """A request's body as a push stream (the contract is in `http/body.py`)."""

    __slots__ = (
        "_connection",
        "_decoder",
        "_dropped",
        "_left",
        "_limit",
        "_paused",
        "_sink",
        "_waiting",
        "_waiting_size",
        "complete",
        "error",
        "length",
        "mode",
        "received",
    )

    def __init__(self, connection: Connection, length: int | None, limit: int | None) -> None:
        self._connection = connection
        #: As the head says; None with the chunked coding.
        self.length = length
        self._left = length or 0
        self._decoder = Decoder() if length is None else None
        self._limit = limit
        self._sink: Sink | None = None
        self._paused = False
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self._dropped = 0
        #: Bytes of body so far.
        self.received = 0
        #: All of it has been received.
        self.complete = False
        self.error: Exception | None = None
        self.mode = Mode.WAITING

    @property
    def left(self) -> int:
        """Bytes still to come, as far as that is known."""
        return self._left

    @property
    def wants_more(self) -> bool:
        """Whether the connection shall go on reading for this body."""
        if self.mode is Mode.PUSHING:
            return not self._paused
        return self.mode is Mode.DROPPING or (self.mode is Mode.WAITING and self._waiting_size < _READ_AHEAD)

    # ---- the step's side

    def start(self, sink: Sink) -> None:
        if self.mode is not Mode.WAITING:
            sink.fail(body_is_gone())
            return
        self._sink = sink
        self.mode = Mode.PUSHING
        limit = self._connection.body_limit()
        if limit is not None and (self._limit is None or limit < self._limit):
            self._limit = limit
        if self.error is None and self._too_long():
            self.error = HTTPError(413, "the request's body is too large")
        if self.error is not None:
            self._sink = None
            sink.fail(self.error)
            return
        if not self.complete:
            self._connection.send_continue()
        self._flush()
        self._connection.adjust_reading()

    def pause(self) -> None:
        self._paused = True
        self._connection.adjust_reading()

    def resume(self) -> None:
        self._paused = False
        self._flush()
        self._connection.adjust_reading()

    def cancel(self) -> None:
        self._sink = None
        self._waiting.clear()
        self._waiting_size = 0
        self.mode = Mode.DROPPING
        self._connection.adjust_reading()

    def detach(self) -> tuple[int, bytes] | None:
        return None  # uploads are copied: 0.3 s of processor time for 1 GiB

    def reattach(self, remaining: int) -> None:
        raise RuntimeError("this body cannot be detached")

    # ---- the connection's side

    def feed(self, data: bytes) -> bytes:
        """Take what belongs to the body; gives what stands behind it."""
        if self._decoder is None:
            piece, rest = (data, b"") if len(data) <= self._left else (data[: self._left], data[self._left :])
            self._left -= len(piece)
            self.complete = self._left == 0
            self._take(piece)
        else:
            rest = self._decode(data)
        if self.complete:
            self._flush()
        return rest

    def _decode(self, data: bytes) -> bytes:
        decoder = self._decoder
        assert decoder is not None
        try:
            pieces = decoder.feed(data)
        except BadChunk as error:
            self.fail(HTTPError(400, str(error)))
            return b""
        if pieces:  # one piece: chunks may be as small as a byte
            self._take(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        self.complete = decoder.done and self.error is None
        return decoder.rest

    def _take(self, piece: bytes) -> None:
        self.received += len(piece)
        if self._too_long():
            self.fail(HTTPError(413, "the request's body is too large"))
        elif self.mode is Mode.DROPPING:
            self._dropped += len(piece)
            if self._dropped > MOST_DROPPED:
                self.fail(BodyBroken("too much of a body that nobody wants"))
        elif self._sink is not None and not self._paused and not self._waiting:
            self._sink.write(piece)
        else:
            self._waiting.append(piece)
            self._waiting_size += len(piece)

    def _too_long(self) -> bool:
        limit = self._limit
        return limit is not None and (self.received > limit or (self.length is not None and self.length > limit))

    def _flush(self) -> None:
        if self._waiting and self._sink is not None and not self._paused:
            data = b"".join(self._waiting)
            self._waiting.clear()
            self._waiting_size = 0
            self._sink.write(data)
        if self.complete and not self._waiting and self._sink is not None and not self._paused:
            sink, self._sink = self._sink, None
            sink.end(self.trailers())

    def trailers(self) -> Headers:
        return [] if self._decoder is None else self._decoder.trailers

    def whole(self) -> bytes | None:
        """All of the body, if it is here already and has no trailers; nothing is left to push then."""
        if not self.complete or self.trailers() or self.error is not None:
            return None
        return b"".join(self._waiting)

    def fail(self, error: Exception) -> None:
        """The body cannot be read to its end."""
        if self.error is not None or self.complete:
            return
        self.error = error
        self._waiting.clear()
        sink, self._sink = self._sink, None
        self._connection.body_failed()
        if sink is not None:
            sink.fail(error)
