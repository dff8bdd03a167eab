"""Response bodies that are not written at once: pushed streams, files by sendfile, sockets by splice.

Each is started with the response's head, which it sends together with the first bytes where it can, and tells the connection
when it is done: `finished`, or `broken`, which cuts the connection off.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from edgescript.http import splice
from edgescript.http.body import Body, FileRange
from edgescript.http.headers import Headers

if TYPE_CHECKING:
    from edgescript.http.exchange import Exchange
    from edgescript.server.http1 import Connection

#: Pieces up to this size are copied together with what frames them.
_COPIED = 16 * 1024
#: Bytes of a file that are read at a time where sendfile cannot be used.
_READ = 64 * 1024
#: Bytes of a file that one connection may send before the others have their turn.
_TURN = 4 * 1024 * 1024


class BodyWriter:
    """Writes a pushed body: as it is where its length is known or the end of the connection ends it, or else in chunks."""

    __slots__ = (
        "_body",
        "_chunked",
        "_connection",
        "_done",
        "_exchange",
        "_head",
        "_left",
        "blocked",
        "sent",
    )

    def __init__(self, connection: Connection, exchange: Exchange, body: Body, head: bytes, *, chunked: bool) -> None:
        self._connection = connection
        self._exchange = exchange
        self._body = body
        self._head = head
        self._chunked = chunked
        self._left = body.length
        self._done = False
        self.blocked = False
        self.sent = 0

    def start(self) -> None:
        self._body.start(self)
        if self._head and not self._done:  # nothing was there yet: the client sees the head now
            self._send(b"")

    def write(self, data: bytes) -> None:
        if self._done or not data:
            return
        size = len(data)
        if self._left is not None:
            self._left -= size
            if self._left < 0:
                self._break("a body was longer than its length")
                return
        self.sent += size
        if not self._chunked:
            self._send(data)
        elif size <= _COPIED:
            self._send(b"%x\r\n%b\r\n" % (size, data))
        else:
            self._send(b"%x\r\n" % size, data, b"\r\n")
        if self._connection.write_paused:
            self._body.pause()

    def end(self, trailers: Headers) -> None:
        if self._done:
            return
        if self._left:
            self._break("a body was shorter than its length")
            return
        self._done = True
        if self._chunked:
            self._send(b"0\r\n%b\r\n" % _trailer_fields(trailers))
        elif self._head:
            self._send(b"")
        self._connection.finished(self._exchange, self.sent)

    def fail(self, error: Exception) -> None:
        if self._done:
            return
        self._done = True
        if self._head:
            self._connection.failed_early(self._exchange, error)
        else:
            self._connection.broken(f"a body broke off: {error!r}")

    def resume(self) -> None:
        if not self._done:
            self._body.resume()

    def cancel(self) -> None:
        if not self._done:
            self._done = True
            self._body.cancel()

    def _send(self, first: bytes, *more: bytes) -> None:
        connection = self._connection
        if self._head:
            first = self._head + first
            self._head = b""
        connection.handed += len(first)
        if more:
            connection.handed += sum(map(len, more))
            connection.transport.writelines((first, *more))
        else:
            connection.transport.write(first)

    def _break(self, reason: str) -> None:
        self.cancel()
        self._connection.broken(reason)


def _trailer_fields(trailers: Headers) -> bytes:
    """Trailer fields as they are written; one that could end the message early is left out."""
    lines = [b"%b: %b\r\n" % pair for pair in trailers]
    return b"".join(line for line in lines if line.count(b"\n") == line.count(b"\r") == 1 and b"\0" not in line)


class FileWriter:
    """Sends a part of a file with sendfile, or by reading it where the connection is not a plain socket."""

    __slots__ = ("_connection", "_descriptor", "_exchange", "_head", "_left", "_offset", "_raw", "blocked", "sent")

    def __init__(self, connection: Connection, exchange: Exchange, part: FileRange, head: bytes) -> None:
        self._connection = connection
        self._exchange = exchange
        self._descriptor = part.descriptor
        self._offset = part.offset
        self._left = part.length
        self._head = memoryview(head)
        self._raw: socket.socket | None = None
        #: Waits for the client to read, where the transport does not know of it.
        self.blocked = False
        self.sent = 0

    def start(self) -> None:
        self._raw = self._connection.raw_socket()
        if self._raw is not None:
            self._send(self._raw)
            return
        self._connection.handed += len(self._head)
        self._connection.transport.write(self._head.tobytes())
        self._copy()

    def resume(self) -> None:
        if self._raw is None and self._descriptor >= 0:
            self._copy()

    def cancel(self) -> None:
        self._close()

    def _send(self, raw: socket.socket) -> None:
        connection = self._connection
        turn = _TURN
        try:
            while self._head:
                written = raw.send(self._head, socket.MSG_MORE)
                self._head = self._head[written:]
                connection.handed += written
            while self._left:
                written = os.sendfile(raw.fileno(), self._descriptor, self._offset, self._left)
                self._advance(written)
                connection.handed += written
                turn -= written
                if written == 0 or (turn <= 0 and self._left):
                    break
        except BlockingIOError:
            written = -1
        except OSError as error:
            self._break(f"a file could not be sent: {error}")
            return
        if not self._left:
            self._finish()
        elif written == 0:
            self._break("a file became shorter while it was sent")
        elif not self.blocked:
            self.blocked = True
            connection.lane.loop.add_writer(raw, self._send, raw)

    def _copy(self) -> None:
        connection = self._connection
        while self._left and not connection.write_paused:
            try:
                data = os.pread(self._descriptor, min(self._left, _READ), self._offset)
            except OSError as error:
                self._break(f"a file could not be read: {error}")
                return
            if not data:
                self._break("a file became shorter while it was sent")
                return
            self._advance(len(data))
            connection.handed += len(data)
            connection.transport.write(data)
        if not self._left:
            self._finish()

    def _advance(self, count: int) -> None:
        self._offset += count
        self._left -= count
        self.sent += count

    def _finish(self) -> None:
        self._close()
        self._connection.finished(self._exchange, self.sent)

    def _break(self, reason: str) -> None:
        self._close()
        self._connection.broken(reason)

    def _close(self) -> None:
        if self.blocked and self._raw is not None:
            self.blocked = False
            self._connection.lane.loop.remove_writer(self._raw)
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class SpliceWriter:
    """Moves a body from its plain socket to the client's without reading it."""

    __slots__ = ("_body", "_connection", "_exchange", "_head_size", "_length", "_pump", "blocked")

    def __init__(self, connection: Connection, exchange: Exchange, body: Body, length: int) -> None:
        self._connection = connection
        self._exchange = exchange
        self._body = body
        self._length = length
        self._head_size = 0
        #: The pump notices by itself when it stalls.
        self.blocked = False
        self._pump: splice.Pump | None = None

    @property
    def sent(self) -> int:
        return max(0, self._pump.moved - self._head_size) if self._pump is not None else 0

    def start(self, head: bytes, client: int, source: int, received: bytes) -> None:
        bounds = self._connection.lane.bounds
        remaining = self._length - len(received)
        self._head_size = len(head)
        try:
            self._pump = splice.Pump(
                self._connection.lane.loop, patience=bounds.write_idle, least=int(bounds.min_rate * bounds.write_idle)
            )
        except OSError as error:
            self._body.reattach(remaining)
            self._connection.broken(f"a body could not be sent: {error}")
            return
        self._pump.start(source, client, remaining, self._done, prefix=head + received)

    def resume(self) -> None:
        """The transport has nothing of this body."""

    def cancel(self) -> None:
        if self._pump is not None and self._pump.running:
            self._body.reattach(self._pump.cancel())
            self._body.cancel()

    def _done(self, remaining: int, error: splice.PumpError | None) -> None:
        connection = self._connection
        connection.handed += self.sent
        self._body.reattach(remaining)
        if error is None:
            connection.finished(self._exchange, self._length)
        else:
            self._body.cancel()
            connection.broken(f"a body broke off: {error}")
