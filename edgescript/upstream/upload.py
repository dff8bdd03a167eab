"""The body of a request on its way to an upstream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgescript.http.body import Body
from edgescript.http.headers import Headers
from edgescript.http.message import HTTPError
from edgescript.upstream import hygiene

if TYPE_CHECKING:
    from edgescript.upstream.connection import Connection


class Upload:
    """
    A sink that writes a request's body to a connection, chunked where its length is not known.

    :param limit: most bytes that the body may have, or None
    :param awaits_continue: the body is not begun before the upstream has said 100, or has kept silent for a while
    """

    __slots__ = ("_body", "_chunked", "_connection", "_left", "awaits_continue", "finished", "started")

    def __init__(self, body: Body, limit: int | None, *, awaits_continue: bool) -> None:
        self._body = body
        self._chunked = body.length is None
        self._left = limit
        self._connection: Connection | None = None
        self.awaits_continue = awaits_continue
        self.started = False
        self.finished = False

    # ---- what its connection tells it

    def begin(self, connection: Connection) -> None:
        """Have the body pushed. The engine tells a client that waits for it to go on."""
        self.awaits_continue = False
        self.started = True
        self._connection = connection
        self._body.start(self)

    def pause(self) -> None:
        if self.started and not self.finished:
            self._body.pause()

    def resume(self) -> None:
        if self.started and not self.finished:
            self._body.resume()

    def abandon(self) -> None:
        """The connection is gone, or the response is whole without the rest of the body."""
        self._connection = None
        if self.started and not self.finished:
            self.finished = True
            self._body.cancel()

    # ---- Sink

    def write(self, data: bytes) -> None:
        connection = self._connection
        if connection is None or connection.transport.is_closing() or not data:
            return  # the end of the connection is told in a moment
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                connection.refuse(HTTPError(413, "the request's body is too long"))
                return
        if self._chunked:
            connection.transport.writelines((b"%x\r\n" % len(data), data, b"\r\n"))
        else:
            connection.transport.write(data)

    def end(self, trailers: Headers) -> None:
        connection = self._connection
        self.finished = True
        if connection is None or connection.transport.is_closing():
            return
        if self._chunked:
            connection.transport.write(hygiene.last_chunk(trailers))
        connection.uploaded()

    def fail(self, error: Exception) -> None:
        self.finished = True
        if self._connection is not None:
            self._connection.refuse(error)
