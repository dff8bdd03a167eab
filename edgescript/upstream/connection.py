"""One connection to an endpoint: an HTTP/1.1 client as a protocol, one exchange at a time.

    idle → (send) → HEAD → BODY → WHOLE → idle, or closed

A response whose bytes all came with its head is given as plain `bytes`; any other as a `ResponseBody` that pushes what
arrives. The connection is back in its pool before whoever waits is told. Whatever the upstream does against the protocol ends
the connection.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import httptools

from edgescript.http.body import BodyBroken
from edgescript.http.exchange import Client
from edgescript.http.headers import Headers
from edgescript.http.message import Response
from edgescript.http.pending import Pending
from edgescript.upstream.failure import Stage, UpstreamError, describe
from edgescript.upstream.limits import CONTINUE_WAIT, FRAMING_SIZE, HEAD_SIZE, Limits
from edgescript.upstream.reading import Malformed, Reading, State
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


#: Heads up to this size are remembered for the next response of the connection.
_MOST_REMEMBERED = 2048


class Connection(Reading, asyncio.Protocol):
    """A connection; `send` begins an exchange."""

    __slots__ = (
        "body",
        "born",
        "client",
        "closed",
        "deadline",
        "known",
        "known_headers",
        "known_status",
        "leftover",
        "overhead",
        "owner",
        "pending",
        "plain",
        "reading",
        "received",
        "remaining",
        "reused",
        "transport",
        "upload",
    )

    transport: asyncio.Transport

    def __init__(self, owner: Owner) -> None:
        super().__init__()
        self.owner = owner
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
        #: A byte of the response has come.
        self.received = False
        #: Bytes since the last that were body: too many are too many.
        self.overhead = 0
        #: Bytes of a body of known length that are still to come, once its first part has left the parser.
        self.remaining = 0
        #: Upstreams repeat themselves: the last head that came with all of its body, and what it meant.
        self.known = b""
        self.known_status = 0
        self.known_headers: Headers = []
        #: What came behind a 101 response.
        self.leftover = b""

    # ---- an exchange, from the side of whoever forwards it

    def send(self, data: bytes, *, head_only: bool, client: Client, upload: Upload | None = None) -> Pending[Response]:
        """
        Begin an exchange: write a request's head, and its body where that is at hand.

        :param upload: streams the body otherwise; begun at once, or when the upstream says that it shall
        :raises UpstreamError: from the awaited value
        """
        pending: Pending[Response] = Pending()
        self.pending = pending
        self.expect(head_only=head_only)
        self.client = client
        self.received = False
        self.overhead = 0
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
        if self.state is State.HEAD:
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
        stale = self.reused and self.state is State.HEAD and not self.received and status == 502
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
        if self.state is State.WHOLE:
            self.abort()
        elif upload is not None and upload.awaits_continue:
            self.deadline = NEVER
            upload.begin(self)
        elif self.state is State.HEAD:
            self.fail("it did not answer in time", 504)
        else:
            self.fail("nothing came for too long")

    # ---- asyncio's callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # a stream's transport reads and writes
        self.plain = transport.get_extra_info("sslcontext") is None

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        if self.state is State.WHOLE:
            self.abort()
        else:
            self.fail("it closed the connection" if error is None else describe(error))

    def eof_received(self) -> None:
        # Without any length the end of the connection is the end of the body (RFC 9112 6.3).
        if self.state is State.BODY and not self.chunked and self.length is None:
            self._finish()

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
            if self.received or not data.startswith(self.known) or not self._receive_known(data):
                self._receive_head(data)
        elif self.body is not None:
            self._receive_body(self.body, data)
        else:
            # What comes unasked cannot be trusted to be the answer to anything.
            self.abort()

    # ---- the head, and all that comes with it

    def _receive_known(self, data: bytes) -> bool:
        """A response whose head is byte by byte that of the one before; False if it is none, or not whole."""
        known = self.known
        if not known or len(data) - len(known) != self.length or self.head_only:
            return False
        self.state = State.WHOLE
        self.received = True
        response = Response(self.known_status, self.known_headers.copy(), data[len(known) :])
        pending, self.pending = self.pending, None
        assert pending is not None
        self._release()
        pending.set(response)
        return True

    def _receive_head(self, data: bytes) -> None:
        self.received = True
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self.leftover = data[upgrade.args[0] :]
        except httptools.HttpParserError as error:
            if self.state is not State.WHOLE:
                self.fail(f"its response is malformed: {_reason(error)}")
                return
            self.parser = httptools.HttpResponseParser(self)
            # Behind the head of a response to HEAD nothing may follow.
            self.keep = self.keep and data.endswith(b"\r\n\r\n")
        if self.pending is None:
            return  # the request's body failed while an interim response was read
        if self.state is State.WHOLE:
            self._remember(data)
            self._give_whole()
        elif self.state is State.BODY:
            self._give_stream()
        else:
            self.overhead += len(data)
            if self.overhead > HEAD_SIZE:
                self.fail("its response's head is too long")

    def _remember(self, data: bytes) -> None:
        """Keep the head in mind, if the whole response came in one piece and the connection goes on."""
        self.known = b""
        length = self.length
        if length is not None and self.keep and not self.head_only and not self.interims and not self.overhead:
            size = len(data) - length
            if size <= _MOST_REMEMBERED and data.find(b"\r\n\r\n") == size - 4 and self.status not in (204, 304):
                self.known = data[:size]
                self.known_status = self.status
                self.known_headers = self.headers.copy()

    def _give_whole(self) -> None:
        chunks, pending = self.chunks, self.pending
        assert pending is not None
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        response = Response(self.status, self.headers, body)
        if self.trailers:
            response.body = ResponseBody.complete(body, self.trailers)
        self.pending = None
        if self.status == 101:
            # The tunnel takes over from here; should it never come, `expire` closes.
            self.pause_reading()
            self.deadline = self.owner.sweep.after(CONTINUE_WAIT)
        else:
            self._release()
        pending.set(response)

    def _give_stream(self) -> None:
        pending = self.pending
        assert pending is not None
        self.body = body = ResponseBody(self, self.length, self.chunks)
        if self.length is not None:
            self.remaining = self.length - sum(map(len, self.chunks))
        self.pending = None
        self.known = b""
        self.overhead = 0
        self.chunks = []
        self.deadline = self.owner.sweep.after(self.owner.limits.idle)
        pending.set(Response(self.status, self.headers, body))
        if not body.started and self.body is body:
            # Nobody takes it yet: let it wait in the network.
            self.pause_reading()

    # ---- the body

    def _receive_body(self, body: ResponseBody, data: bytes) -> None:
        if not body.paused:
            self.deadline = self.owner.sweep.after(self.owner.limits.idle)
        if self.chunked:
            self._receive_chunks(body, data)
        elif self.length is None:
            body.push(data)
        else:
            # From here on the bytes do not go through the parser, which would copy them.
            surplus = len(data) - self.remaining
            self.remaining = max(-surplus, 0)
            if surplus > 0:
                self.keep = False
                data = data[:-surplus]
            body.push(data)
            if surplus >= 0 and self.body is body:
                self.parser = httptools.HttpResponseParser(self)
                self._finish()

    def _receive_chunks(self, body: ResponseBody, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            if self.state is not State.WHOLE:
                self.fail(f"malformed chunks ({_reason(error)})")
                return
        chunks = self.chunks
        if chunks:
            self.chunks = []
            self.overhead = 0
            body.push(chunks[0] if len(chunks) == 1 else b"".join(chunks))
        else:
            self.overhead += len(data)
        if self.body is not body:
            return
        if self.state is State.WHOLE:
            self._finish()
        elif self.overhead > FRAMING_SIZE:
            self.fail("endless chunk extensions or trailers")

    def _finish(self) -> None:
        body = self.body
        assert body is not None
        self.state = State.WHOLE
        self.body = None
        if not self.reading:
            self.resume_reading()  # a sink may have paused its body at the very last piece
        self._release()
        body.finish(self.trailers)

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
        if self.reading and not self.closed:
            self.reading = False
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        self.deadline = self.owner.sweep.after(self.owner.limits.idle)
        if not self.reading and not self.closed:
            self.reading = True
            self.transport.resume_reading()

    def lend(self) -> int | None:
        """
        The socket, for somebody else to read the rest of a body of known length from; None if that cannot be.

        The borrower also notices when nothing moves: what passes by us cannot set a deadline.
        """
        if not self.plain or self.length is None or self.remaining == 0 or self.closed:
            return None
        self.pause_reading()
        descriptor: int = self.transport.get_extra_info("socket").fileno()
        return descriptor

    def give_back(self, remaining: int) -> None:
        """The borrower has read all but `remaining` bytes."""
        if remaining or self.body is None:
            self.abort()
            return
        self.parser = httptools.HttpResponseParser(self)
        self.state = State.WHOLE
        self.body = None
        self.resume_reading()
        self._release()

    # ---- interim responses

    def received_interim(self) -> None:
        upload = self.upload
        if self.status == 100 and upload is not None and upload.awaits_continue:
            self.deadline = NEVER
            upload.begin(self)
        elif self.status != 100 and self.client is not None:
            self.client.inform(self.status, self.headers)


def _reason(error: BaseException) -> str:
    """llhttp's words, or those of a callback's own error."""
    own = error.__context__
    return str(own if isinstance(own, Malformed) else error).lower()
