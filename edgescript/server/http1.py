"""The fast lane's HTTP/1.1: bytes of one connection ↔ exchanges, inside the protocol callbacks, without a task.

A connection works on one request at a time. What comes behind it waits as bytes, and past a bound the socket is not read.
Answers that need no waiting are written before `data_received` returns; the others by whoever brings what was waited for.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
from collections.abc import Callable
from typing import Any, Protocol

from edgescript.http.body import BodyBroken, discard
from edgescript.http.exchange import Exchange
from edgescript.http.fields import parse_fields
from edgescript.http.headers import Headers
from edgescript.http.message import Abort, HTTPError, Response, plain_error
from edgescript.http.pending import Drive
from edgescript.server import head
from edgescript.server.head import REQUEST_LINE, Framing, Refusal
from edgescript.server.lane import Lane
from edgescript.server.linger import Linger
from edgescript.server.progress import Progress
from edgescript.server.receive import MOST_DROPPED, Mode, RequestBody
from edgescript.server.respond import interim, refusal, respond
from edgescript.server.serve import serve

log = logging.getLogger("edgescript.server")

#: Bytes of further requests that wait while one is answered.
_MOST_WAITING = 32 * 1024

#: SO_LINGER of zero seconds: closing resets the connection.
_RESET = struct.pack("ii", 1, 0)

_VERSIONS = {b"0": "1.0", b"1": "1.1"}


class Writer(Protocol):
    """A response's body that is not written at once."""

    #: It waits for the client, and the transport does not know of it.
    blocked: bool

    @property
    def sent(self) -> int:
        """Bytes of body that were handed to the socket."""

    def resume(self) -> None:
        """The client has read what waited."""

    def cancel(self) -> None:
        """The connection is gone."""


class Connection(asyncio.Protocol):
    """One client connection; also the `Client` that steps see."""

    __slots__ = (
        "_body",
        "_body_progress",
        "_buffer",
        "_busy",
        "_drive",
        "_ended",
        "_in_flight",
        "_informed",
        "_looping",
        "_position",
        "_raw",
        "_reading_paused",
        "_scanned",
        "_since",
        "_used",
        "_write_progress",
        "can_upgrade",
        "ends_body",
        "exchange",
        "handed",
        "lane",
        "local_ip",
        "local_port",
        "persistent",
        "remote_ip",
        "remote_port",
        "scheme",
        "transport",
        "trust",
        "write_paused",
        "writer",
    )

    transport: asyncio.Transport

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.scheme = "http"
        self.can_upgrade = True
        #: Bytes received, and how many of them have been served.
        self._buffer = b""
        self._position = 0
        #: How much of an unfinished head has been checked.
        self._scanned = 0

        #: From a request's head until the last of its body and of its response.
        self._busy = False
        self.exchange: Exchange | None = None
        #: The exchange is counted as one that waits.
        self._in_flight = False
        #: How the exchange is being answered: by a step that waits, or by a body that is written.
        self._drive: Drive[Response] | None = None
        self.writer: Writer | None = None
        #: The body of the request, where it was not all there at once.
        self._body: RequestBody | None = None
        #: `100 Continue` has been sent, or is not waited for.
        self._informed = True
        #: Whether there will be another request after this one.
        self.persistent = True
        #: The end of the connection is the end of the response (HTTP/1.0).
        self.ends_body = False
        #: The client has closed its side.
        self._ended = False

        self._looping = False
        self._reading_paused = False
        self.write_paused = False
        #: Bytes given to the socket or the transport since the connection began.
        self.handed = 0
        #: When the wait for the next request, or for the rest of its head, began.
        self._since = 0.0
        self._used = False
        self._body_progress: Progress | None = None
        self._write_progress: Progress | None = None
        self._raw: socket.socket | None = None

    # ---- what the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # a stream's transport reads and writes
        self.remote_ip, self.remote_port = _address(transport.get_extra_info("peername"))
        self.local_ip, self.local_port = _address(transport.get_extra_info("sockname"))
        lane = self.lane
        self.update_trust()
        self._since = lane.clock()
        lane.add(self)

    def update_trust(self) -> None:
        trust = self.lane.bounds.trust
        self.trust = trust if trust is not None and trust.includes(self.remote_ip) else None

    def data_received(self, data: bytes) -> None:
        if self._busy:
            self._receive_early(data)
            return
        if self._buffer:
            self._keep(data)
        else:
            self._buffer = data
        if not self.write_paused:
            self._serve()
        if self._buffer:
            self.adjust_reading()

    def eof_received(self) -> bool:
        """The client sends no more. What is being written goes on; a step that still waits is cancelled, as nginx and Go do."""
        self._ended = True
        self.persistent = False
        body = self._body
        if body is not None and not body.complete:
            body.fail(BodyBroken("the client ended the body early"))
        return self.writer is not None

    def pause_writing(self) -> None:
        self.write_paused = True

    def resume_writing(self) -> None:
        self.write_paused = False
        if self.writer is not None:
            self.writer.resume()
        elif not self._busy:
            self._serve()
            self.adjust_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self.persistent = False
        self._busy = True
        body, drive, writer, exchange = self._body, self._drive, self.writer, self.exchange
        self._body = None
        self._drive = None
        self.writer = None
        if body is not None:
            body.fail(BodyBroken("the client is gone"))
        if drive is not None:
            drive.cancel(asyncio.CancelledError())
        sent = 0
        if writer is not None:
            sent = writer.sent
            writer.cancel()
        if exchange is not None:
            self._tell_end(exchange, sent)
        self._close_raw()
        self.lane.discard(self)

    # ---- requests

    def _keep(self, data: bytes) -> None:
        if self._position < len(self._buffer):
            data = self._buffer[self._position :] + data
        self._buffer = data
        self._position = 0

    def _serve(self) -> None:
        """Answer the requests that are in the buffer one after the other, as far as they can be answered at once."""
        self._looping = True
        while self._position < len(self._buffer) and not self.write_paused and self._begin() and not self._busy:
            pass
        self._looping = False
        if self._position >= len(self._buffer):
            self._buffer = b""
            self._position = 0

    def _begin(self) -> bool:
        """Begin to answer the next request; False if there is none that is complete and acceptable."""
        data, position, lane = self._buffer, self._position, self.lane
        bounds = lane.bounds
        line = REQUEST_LINE.match(data, position)
        end = data.find(b"\r\n\r\n", position)
        if line is None or end < 0 or end - position > bounds.max_header_size:
            return self._skip_or_wait(end)
        method, target, minor = line.groups()
        try:
            headers = parse_fields(data[line.end() : end])
            framing = head.framing(headers, minor)
            self._position = end + 4
            self._scanned = 0
            if len(headers) > bounds.max_header_count:
                raise Refusal(431, "the request has too many header fields")
            if len(target) > bounds.max_uri_size:
                raise Refusal(414, "the request target is too long")
            if method == b"CONNECT":
                raise Refusal(501, "CONNECT is not supported")
            body: bytes | RequestBody = b""
            if framing.length:
                body = self._begin_body(framing)
            self._since = now = lane.clock()
            exchange = Exchange(self, method, target, _VERSIONS[minor], headers, body, now)
        except (HTTPError, Refusal) as error:
            self._refuse(error.status, error.reason)
            return False
        except ValueError as error:
            self._refuse(400, str(error))
            return False
        self.persistent = framing.persistent and not lane.draining and not self._ended
        self._busy = True
        self.exchange = exchange
        try:
            outcome = serve(exchange, lane.listener)
        except Abort:
            self.transport.abort()
            return False
        if isinstance(outcome, Response):
            respond(self, exchange, outcome)
        else:
            self._drive = Drive(outcome, self._answered)
            self._drive.start()
        if self.exchange is not None:
            self._in_flight = True
            cell = lane.listener.tally.in_flight
            cell.slots[cell.at] += 1.0
        return True

    def _skip_or_wait(self, end: int) -> bool:
        """What begins the buffer is an empty line, an unfinished head, one that is too large, or none at all."""
        data = self._buffer = self._buffer[self._position :]
        if end >= 0:
            end -= self._position
        self._position = 0
        empty = head.EMPTY_LINES.match(data)
        if empty is not None:
            self._position = empty.end()
            self._scanned = 0
            return True
        bounds = self.lane.bounds
        try:
            if end > bounds.max_header_size:
                raise Refusal(431, "the request's head is too large")
            if end >= 0:
                raise head.refuse_malformed(data)
            head.check_unfinished(
                data, scanned=self._scanned, max_size=bounds.max_header_size, max_target=bounds.max_uri_size
            )
        except Refusal as refused:
            self._refuse(refused.status, refused.reason)
            return False
        if not self._scanned:
            self._since = self.lane.clock()
        self._scanned = len(data)
        return False

    def _begin_body(self, framing: Framing) -> bytes | RequestBody:
        length = framing.length
        limit = self.lane.bounds.max_body_size
        data, position = self._buffer, self._position
        if limit is not None and length > limit:
            raise Refusal(413, "the request's body is too large")
        if 0 < length <= len(data) - position:
            self._position = position + length
            return data[position : self._position]
        body = RequestBody(self, None if length == head.CHUNKED else length, limit)
        rest = body.feed(data[position:]) if position < len(data) else b""
        self._position = len(data) - len(rest)
        if isinstance(body.error, HTTPError):
            raise body.error
        whole = body.whole()
        if whole is not None:
            return whole
        self._body = body
        self._body_progress = None
        self._informed = not framing.expects_continue
        return body

    def _receive_early(self, data: bytes) -> None:
        """Bytes that came before the exchange was over: more of its body, or requests behind it."""
        body = self._body
        if body is not None and not body.complete:
            if body.error is not None:
                return
            data = body.feed(data)
        if data:
            self._keep(data)
        if body is not None and body.complete:
            self.body_changed()
        self.adjust_reading()

    def _refuse(self, status: int, reason: str) -> None:
        """Answer what cannot be an exchange, and be done with the connection."""
        log.debug("refused a request of %s: %s", self.remote_ip, reason)
        self.lane.listener.tally.refused(status)
        self.transport.write(refusal(status, self.lane.stamp))
        self.close(unread=True)

    # ---- answers

    def _answered(self, response: Response | None, error: BaseException | None) -> None:
        self._drive = None
        exchange = self.exchange
        if exchange is None or self.transport.is_closing():
            if response is not None:
                discard(response.body)
        elif response is not None:
            respond(self, exchange, response)
        elif isinstance(error, Abort | asyncio.CancelledError):
            self.transport.abort()
        else:
            log.error("a request could not be answered", exc_info=error)
            respond(self, exchange, plain_error(HTTPError(500)))

    def finished(self, exchange: Exchange, sent: int) -> None:
        """The response is whole, and handed to the transport."""
        self.writer = None
        self.exchange = None
        self._used = True
        if exchange.tally is not None or exchange.endings is not None or self._in_flight:
            self._tell_end(exchange, sent)
        body = self._body
        if body is not None and not body.complete:
            self._drop_rest(body)
        else:
            self._go_on()

    def failed_early(self, exchange: Exchange, error: Exception) -> None:
        """The response's body failed before any of it was written: there is still time to say so."""
        log.info("a response to %s failed before it began: %r", self.remote_ip, error)
        self.writer = None
        response = exchange.response = plain_error(HTTPError(502))
        respond(self, exchange, response)

    def broken(self, reason: str) -> None:
        """The response cannot be completed: cut the connection off, so that it does not look whole."""
        log.info("a response to %s broke off: %s", self.remote_ip, reason)
        if self.ends_body:  # only a reset can tell the client then
            transport_socket = self.transport.get_extra_info("socket")
            transport_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()

    def _tell_end(self, exchange: Exchange, sent: int) -> None:
        """Tell whoever wanted to know that the exchange is over."""
        endings, exchange.endings = exchange.endings, None
        exchange.sent = sent
        exchange.duration = self.lane.clock() - exchange.started
        if exchange.tally is not None:
            exchange.tally.count(exchange)
        if self._in_flight:
            self._in_flight = False
            cell = self.lane.listener.tally.in_flight
            cell.slots[cell.at] -= 1.0
        for ending in endings or ():
            try:
                ending(exchange)
            except Exception:
                log.exception("an ending of %s failed", exchange.asked)

    def _drop_rest(self, body: RequestBody) -> None:
        """The response came before the end of the request: read over a short rest of it, or close."""
        if not self.persistent or not self._informed or body.error is not None or body.left > MOST_DROPPED:
            self.close(unread=True)
        else:
            body.cancel()

    def body_changed(self) -> None:
        """All of the request's body has been received."""
        if self.exchange is None:
            self._go_on()

    def body_failed(self) -> None:
        """The request's body is malformed, too large, or broken off: nothing that comes behind it can be trusted."""
        self.persistent = False
        if self.exchange is None and self._busy:
            self.close(unread=True)

    def _go_on(self) -> None:
        """Go on to the next request of this connection, if there will be one."""
        self._body = None
        if not self.persistent:
            self.close()
            return
        self._busy = False
        if not self._looping:
            self._since = self.lane.clock()
            if self._buffer:
                self._serve()
            if self._buffer or self._reading_paused:
                self.adjust_reading()

    def upgraded(self, exchange: Exchange, take_over: Callable[[asyncio.Transport, bytes], None]) -> None:
        """Hand the transport over to a tunnel, with what the client has sent already."""
        rest = self._buffer[self._position :]
        self._buffer = b""
        self._position = 0
        self.exchange = None
        self._tell_end(exchange, 0)
        self.lane.tunnels.add(self.transport)
        self._leave()
        take_over(self.transport, rest)

    # ---- the end of the connection

    def close(self, *, unread: bool = False) -> None:
        """
        Close the connection when what was written is out.

        :param unread: the client may be sending still
        """
        self._busy = True
        if self.transport.is_closing():
            return
        if unread and not self._ended:
            self._leave()
            Linger.take_over(self.transport, self.lane)
        else:
            self.transport.close()

    def _leave(self) -> None:
        """This connection object is done; its transport goes to another protocol."""
        self._busy = True
        self._buffer = b""
        self._position = 0
        self._body = None
        if self._reading_paused:
            self._reading_paused = False
            self.transport.resume_reading()
        self._close_raw()
        self.lane.discard(self)

    def abort(self) -> None:
        self.transport.abort()

    def drain(self) -> None:
        self.persistent = False
        if not self._busy and self._position >= len(self._buffer):
            self.transport.close()

    # ---- what steps and bodies ask for

    def inform(self, status: int, headers: Headers) -> None:
        exchange = self.exchange
        if exchange is None or exchange.version == "1.0" or self.writer is not None or self.transport.is_closing():
            return
        if status == 100:
            if self._informed:
                return
            self._informed = True
        self.transport.write(interim(status, headers))

    def send_continue(self) -> None:
        """Somebody reads the request's body now: ask for it, if the client waits to be asked."""
        self.inform(100, [])

    def body_limit(self) -> int | None:
        return None if self.exchange is None else self.exchange.body_limit

    def adjust_reading(self) -> None:
        """Read from the socket while there is room for what may come."""
        body = self._body
        if body is not None and not body.complete:
            wanted = body.wants_more
        else:
            wanted = len(self._buffer) - self._position <= _MOST_WAITING
        if wanted is self._reading_paused:
            self._reading_paused = not wanted
            if wanted:
                self._body_progress = None
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()

    def plain_descriptor(self) -> int | None:
        """The socket's descriptor, where one may write to it past the transport: it is no TLS, and nothing waits."""
        transport = self.transport
        if self.scheme != "http" or transport.is_closing() or transport.get_write_buffer_size():
            return None
        descriptor: int = transport.get_extra_info("socket").fileno()
        return descriptor

    def raw_socket(self) -> socket.socket | None:
        """A socket object of our own for the same connection, under the conditions of `plain_descriptor`."""
        descriptor = self.plain_descriptor()
        if descriptor is not None and self._raw is None:
            try:
                self._raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, os.dup(descriptor))
            except OSError:  # no descriptors are left: the transport can still write
                return None
        return None if descriptor is None else self._raw

    def _close_raw(self) -> None:
        raw, self._raw = self._raw, None
        if raw is not None:
            raw.close()

    # ---- the sweep

    @property
    def began(self) -> float | None:
        exchange = self.exchange
        return None if exchange is None else exchange.started

    def sweep(self, now: float) -> None:
        bounds = self.lane.bounds
        if self._write_stalled(now):
            self.transport.abort()
        elif self._body is not None and not self._body.complete:
            self._sweep_body(now, self._body)
        elif self._busy:
            return
        elif self._scanned:
            if now - self._since >= bounds.read_header:
                self._refuse(408, "the head did not come in time")
        elif now - self._since >= (bounds.idle if self._used else bounds.read_header):
            self.transport.close()

    def _write_stalled(self, now: float) -> bool:
        waiting = self.transport.get_write_buffer_size()
        writer = self.writer
        if not waiting and (writer is None or not (writer.blocked or self._ended)):
            self._write_progress = None
            return False
        if self._write_progress is None:
            self._write_progress = Progress()
        bounds = self.lane.bounds
        return self._write_progress.stalled(now, self.handed - waiting, span=bounds.write_idle, rate=bounds.min_rate)

    def _sweep_body(self, now: float, body: RequestBody) -> None:
        """A client that should send and does not, is not waited for. While nobody reads, it may not send."""
        if self._reading_paused or not self._informed or body.mode is Mode.WAITING:
            self._body_progress = None
            return
        if self._body_progress is None:
            self._body_progress = Progress()
        bounds = self.lane.bounds
        if self._body_progress.stalled(now, body.received, span=bounds.read_body_idle, rate=bounds.min_rate):
            body.fail(HTTPError(408, "the request's body did not come in time"))


def _address(name: Any) -> tuple[str, int]:
    """IP and port of a socket's name; a unix socket has neither, and a client may be gone already."""
    if not isinstance(name, tuple):
        return "", 0
    return name[0].removeprefix("::ffff:"), name[1]
