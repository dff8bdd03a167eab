"""One connection to an endpoint: an HTTP/1.1 client as a protocol, one exchange at a time.

    idle → (send) → HEAD → BODY → WHOLE → idle, or closed

A response whose bytes all came with its head is given as plain `bytes`; any other as a `ResponseBody` that pushes what
arrives. The connection is back in its pool before whoever waits is told. Whatever the upstream does against the protocol ends
the connection.
"""

from __future__ import annotations

import asyncio
from enum import IntEnum
from typing import Protocol

from edgescript.http.body import BodyBroken
from edgescript.http.chunked import BadChunk, Decoder
from edgescript.http.exchange import Client
from edgescript.http.headers import Headers
from edgescript.http.message import Response
from edgescript.http.pending import Pending
from edgescript.upstream.failure import Stage, UpstreamError, describe
from edgescript.upstream.limits import CONTINUE_WAIT, HEAD_SIZE, INTERIM_RESPONSES, Limits
from edgescript.upstream.response_head import CHUNKED, UNTIL_CLOSE, Head, Malformed, could_be_head, read_head
from edgescript.upstream.stream import ResponseBody
from edgescript.upstream.sweep import NEVER, Sweep
from edgescript.upstream.upload import Upload


class Owner(Protocol):
    """Where a connection belongs."""

    limits: Limits
    sweep: Sweep

    def release(self, connection: Connection) -> None:
        """The connection is free for the next exchange."""

    def forget(self, connection: Connection) -> None:
        """The connection is of no more use; may be said twice."""


class State(IntEnum):
    HEAD = 0  # the response's head is awaited, interim responses included
    BODY = 1  # its head is there
    WHOLE = 2  # all of it is there; also of a connection that is idle


# An enumeration's members cost ten times a global's look-up.
_HEAD, _BODY, _WHOLE = State


class Connection(asyncio.Protocol):
    """A connection; `send` begins an exchange."""

    __slots__ = (
        "body",
        "born",
        "client",
        "closed",
        "deadline",
        "decoder",
        "early",
        "head_only",
        "interims",
        "keep",
        "leftover",
        "owner",
        "pending",
        "plain",
        "reading",
        "received",
        "remaining",
        "reused",
        "state",
        "transport",
        "upload",
    )

    transport: asyncio.Transport

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.state = _WHOLE
        self.closed = False
        self.reading = True
        #: Whether it has served before.
        self.reused = False
        self.born = owner.sweep.now
        self.deadline = NEVER
        #: Who waits for the head; and then what the rest is pushed through.
        self.pending: Pending[Response] | None = None
        self.body: ResponseBody | None = None
        self.upload: Upload | None = None
        self.client: Client | None = None
        #: Whether the socket may be read by others (no TLS).
        self.plain = True
        self.head_only = self.keep = self.received = False
        self.interims = 0
        #: What there is of a head that is not complete.
        self.early = b""
        #: Bytes of the body that are still to come; UNTIL_CLOSE; or CHUNKED, and then `decoder` reads them.
        self.remaining = 0
        self.decoder: Decoder | None = None
        #: What came behind a 101 response.
        self.leftover = b""

    # ---- an exchange, from the side of whoever forwards it

    def send(self, data: bytes, head_only: bool, client: Client, upload: Upload | None) -> Pending[Response]:
        """
        Begin an exchange: write a request's head, and its body where that is at hand.

        :param head_only: the request is HEAD
        :param upload: streams the body otherwise; begun at once, or when the upstream says that it shall
        :raises UpstreamError: from the awaited value
        """
        pending: Pending[Response] = Pending()
        self.pending = pending
        self.state = _HEAD
        self.head_only = head_only
        self.client = client
        self.received = False
        self.interims = 0
        owner = self.owner
        self.deadline = owner.sweep.after(owner.limits.response_header)
        self.transport.write(data)
        if upload is not None:
            self._attach(upload)
        return pending

    def _attach(self, upload: Upload) -> None:
        self.upload = upload
        if upload.awaits_continue:
            self.deadline = self.owner.sweep.after(CONTINUE_WAIT)
        else:
            self.deadline = NEVER
            upload.begin(self)

    def uploaded(self) -> None:
        """The request's body is written: from now on it is the upstream's turn."""
        if self.state is _HEAD:
            self.deadline = self.owner.sweep.after(self.owner.limits.response_header)

    def abort(self) -> None:
        """Close at once, and forget what was going on; tells nobody."""
        self.pending = self.body = None
        self.deadline = NEVER
        upload, self.upload = self.upload, None
        if upload is not None:
            upload.abandon()
        self.owner.forget(self)
        if not self.closed:
            self.transport.abort()

    def fail(self, reason: str, status: int = 502) -> None:
        """End the exchange with an error, whatever its state."""
        pending, body = self.pending, self.body
        stale = self.reused and self.state is _HEAD and not self.received and status == 502
        self.abort()
        if pending is not None:
            stage = Stage.ANSWERED if self.received else Stage.UNANSWERED
            pending.fail(UpstreamError(reason, stage, status=status, stale=stale))
        elif body is not None:
            body.broke(BodyBroken(f"{reason} in the middle of a response"))

    def refuse(self, error: Exception) -> None:
        """End the exchange with an error that lies with the request's body."""
        pending, body = self.pending, self.body
        self.abort()
        if pending is not None:
            pending.fail(error)
        elif body is not None:
            body.broke(BodyBroken("the request broke off"))

    def expire(self) -> None:
        """The deadline has passed."""
        upload = self.upload
        if self.state is _WHOLE:
            self.abort()
        elif upload is not None and upload.awaits_continue:
            self.deadline = NEVER
            upload.begin(self)
        elif self.state is _HEAD:
            self.fail("it did not answer in time", 504)
        else:
            self.fail("nothing came for too long")

    # ---- asyncio's callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # a stream's transport reads and writes
        self.plain = transport.get_extra_info("sslcontext") is None

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        if self.state is _WHOLE:
            self.abort()
        else:
            self.fail("it closed the connection" if error is None else describe(error))

    def eof_received(self) -> None:
        # Without any length the end of the connection is the end of the body (RFC 9112 6.3).
        if self.state is _BODY and self.remaining == UNTIL_CLOSE:
            self._finish([])
        elif self.state is not _WHOLE:
            # The transport would close when all is sent, and an upstream that is done may never read it.
            self.fail("it closed the connection")

    def pause_writing(self) -> None:
        if self.upload is not None:
            self.deadline = self.owner.sweep.after(self.owner.limits.idle)
            self.upload.pause()

    def resume_writing(self) -> None:
        if self.upload is not None:
            self.deadline = NEVER
            self.upload.resume()

    def data_received(self, data: bytes) -> None:
        if self.pending is not None:
            self._receive_head(data)
        elif self.body is not None:
            self._receive_body(self.body, data)
        else:
            # What comes unasked cannot be trusted to be the answer to anything.
            self.abort()

    # ---- the head, and all that comes with it

    def _receive_head(self, data: bytes) -> None:
        self.received = True
        if self.early:
            data = self.early + data
            self.early = b""
        end = data.find(b"\r\n\r\n")
        try:
            if end < 0 or end > HEAD_SIZE:
                self._await_head(data)
                return
            head = read_head(data, end, head_only=self.head_only)
            rest = data[end + 4 :]
            status, _, length, self.keep = head
            if status < 200 and status != 101:
                self._interim(head, rest)
            elif 0 <= length <= len(rest):
                self._give_whole(head, rest)
            elif length == CHUNKED:
                self._give_chunked(head, rest)
            elif length == UNTIL_CLOSE:
                self.remaining = UNTIL_CLOSE
                self._give_stream(head, None, [rest] if rest else [])
            else:
                self.remaining = length - len(rest)
                self._give_stream(head, length, [rest] if rest else [])
        except Malformed as error:
            self.fail(f"its response is malformed: {error}")
        except BadChunk as error:
            self.fail(f"its response has malformed chunks: {error}")

    def _await_head(self, data: bytes) -> None:
        if len(data) > HEAD_SIZE:
            raise Malformed("the head is too long")
        if not could_be_head(data):
            raise Malformed("the head does not begin like one, or has a lone line end")
        self.early = data

    def _interim(self, head: Head, rest: bytes) -> None:
        self.interims += 1
        if self.interims > INTERIM_RESPONSES:
            raise Malformed("there are too many interim responses")
        status, headers, _, _ = head
        upload = self.upload
        if status == 100 and upload is not None and upload.awaits_continue:
            self.deadline = NEVER
            upload.begin(self)
        elif status != 100 and self.client is not None:
            self.client.inform(status, headers)
        if rest and self.pending is not None:  # the request's body may have failed meanwhile
            self._receive_head(rest)

    def _give_whole(self, head: Head, rest: bytes) -> None:
        """All of the response is here."""
        status, headers, length, _ = head
        pending, self.pending = self.pending, None
        assert pending is not None
        self.state = _WHOLE
        if status == 101:
            # The tunnel takes over from here; should it never come, `expire` closes.
            self.leftover = rest
            self.pause_reading()
            self.deadline = self.owner.sweep.after(CONTINUE_WAIT)
            rest = b""
        else:
            if len(rest) > length:
                self.keep = False
                rest = rest[:length]
            self._release()
        pending.set(Response(status, headers, rest))

    def _give_chunked(self, head: Head, rest: bytes) -> None:
        status, headers, _, _ = head
        self.remaining = CHUNKED
        self.decoder = decoder = Decoder()
        chunks = decoder.feed(rest)
        if not decoder.done:
            self._give_stream(head, None, chunks)
            return
        pending, self.pending = self.pending, None
        assert pending is not None
        body = b"".join(chunks)
        response = Response(status, headers, body)
        if decoder.trailers:
            response.body = ResponseBody.complete(body, decoder.trailers)
        self._end_chunks(decoder)
        self._release()
        pending.set(response)

    def _give_stream(self, head: Head, length: int | None, chunks: list[bytes]) -> None:
        status, headers, _, _ = head
        pending, self.pending = self.pending, None
        assert pending is not None
        self.state = _BODY
        self.body = body = ResponseBody(self, length, chunks)
        self.deadline = self.owner.sweep.after(self.owner.limits.idle)
        pending.set(Response(status, headers, body))
        if not body.started and self.body is body:
            # Nobody takes it yet: let it wait in the network.
            self.pause_reading()

    # ---- the body

    def _receive_body(self, body: ResponseBody, data: bytes) -> None:
        if not body.paused:
            self.deadline = self.owner.sweep.after(self.owner.limits.idle)
        if self.decoder is not None:
            self._receive_chunks(body, self.decoder, data)
        elif self.remaining == UNTIL_CLOSE:
            body.push(data)
        else:
            surplus = len(data) - self.remaining
            self.remaining = max(-surplus, 0)
            if surplus > 0:
                self.keep = False
                data = data[:-surplus]
            body.push(data)
            if surplus >= 0 and self.body is body:
                self._finish([])

    def _receive_chunks(self, body: ResponseBody, decoder: Decoder, data: bytes) -> None:
        try:
            chunks = decoder.feed(data)
        except BadChunk as error:
            self.fail(f"malformed chunks ({error})")
            return
        if chunks:
            body.push(chunks[0] if len(chunks) == 1 else b"".join(chunks))
        if decoder.done and self.body is body:
            self._end_chunks(decoder)
            self._finish(decoder.trailers)

    def _end_chunks(self, decoder: Decoder) -> None:
        self.decoder = None
        self.state = _WHOLE
        if decoder.rest:
            self.keep = False

    def _finish(self, trailers: Headers) -> None:
        body = self.body
        assert body is not None
        self.state = _WHOLE
        self.body = None
        if not self.reading:
            self.resume_reading()  # a sink may have paused its body at the very last piece
        self._release()
        body.finish(trailers)

    def _release(self) -> None:
        """The response is whole: the next exchange may have the connection, unless something speaks against it."""
        self.client = None
        upload, self.upload = self.upload, None
        if upload is not None and not upload.finished:
            upload.abandon()
            self.keep = False
        if self.keep:
            self.reused = True
            self.owner.release(self)
        else:
            self.abort()

    # ---- reading, for the body

    def pause_reading(self) -> None:
        self.deadline = NEVER
        if self.reading and not self.transport.is_closing():
            self.reading = False
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        self.deadline = self.owner.sweep.after(self.owner.limits.idle)
        if not self.reading and not self.transport.is_closing():
            self.reading = True
            self.transport.resume_reading()

    def lend(self) -> int | None:
        """
        The socket, for somebody else to read the rest of a body of known length from; None if that cannot be.

        The borrower also notices when nothing moves: what passes by us cannot set a deadline.
        """
        if not self.plain or self.remaining <= 0 or self.transport.is_closing():
            return None
        self.pause_reading()
        descriptor: int = self.transport.get_extra_info("socket").fileno()
        return descriptor

    def give_back(self, remaining: int) -> None:
        """The borrower has read all but `remaining` bytes."""
        if remaining or self.body is None:
            self.abort()
            return
        self.state = _WHOLE
        self.body = None
        self.resume_reading()
        self._release()
