"""The body of a response, while its connection is busy with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgescript.http.body import Sink
from edgescript.http.headers import Headers

if TYPE_CHECKING:
    from edgescript.upstream.connection import Connection


class ResponseBody:
    """A `Body` that pushes what its connection receives. It lets go of the connection when the message is whole."""

    __slots__ = ("_buffered", "_connection", "_ended", "_error", "_sink", "_trailers", "length", "paused", "started")

    def __init__(self, connection: Connection | None, length: int | None, buffered: list[bytes]) -> None:
        self._connection = connection
        self._buffered = buffered
        self._sink: Sink | None = None
        self._trailers: Headers = []
        self._error: Exception | None = None
        self._ended = False
        self.length = length
        self.started = False
        self.paused = False

    @classmethod
    def complete(cls, data: bytes, trailers: Headers) -> ResponseBody:
        """A body that is all there, and has trailers behind it."""
        body = cls(None, None, [data])
        body._trailers = trailers
        body._ended = True
        return body

    # ---- what its connection tells it

    def push(self, data: bytes) -> None:
        if self._sink is not None:
            self._sink.write(data)
        else:
            self._buffered.append(data)

    def finish(self, trailers: Headers) -> None:
        self._connection = None
        self._ended = True
        self._trailers = trailers
        if self._sink is not None:
            self._sink.end(trailers)

    def broke(self, error: Exception) -> None:
        self._connection = None
        self._error = error
        self._buffered.clear()
        if self._sink is not None:
            self._sink.fail(error)

    # ---- Body

    def start(self, sink: Sink) -> None:
        self.started = True
        self._sink = sink
        if self._buffered:
            data = b"".join(self._buffered)
            self._buffered.clear()
            sink.write(data)
            if self._sink is not sink:
                return
        if self._error is not None:
            sink.fail(self._error)
        elif self._ended:
            sink.end(self._trailers)
        elif self._connection is not None and not self.paused:
            self._connection.resume_reading()

    def pause(self) -> None:
        self.paused = True
        if self._connection is not None:
            self._connection.pause_reading()

    def resume(self) -> None:
        self.paused = False
        if self._connection is not None:
            self._connection.resume_reading()

    def cancel(self) -> None:
        connection, self._connection = self._connection, None
        self._sink = _NOBODY
        self._buffered.clear()
        if connection is not None:
            connection.abort()

    def detach(self) -> tuple[int, bytes] | None:
        connection = self._connection
        if connection is None or self.started:
            return None
        descriptor = connection.lend()
        if descriptor is None:
            return None
        self.started = True
        buffered = b"".join(self._buffered)
        self._buffered.clear()
        return descriptor, buffered

    def reattach(self, remaining: int) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.give_back(remaining)


class _Nobody:
    """Stands for the sink of a body that was cancelled: nothing comes after `cancel`."""

    def write(self, data: bytes) -> None:
        pass

    def end(self, trailers: Headers) -> None:
        pass

    def fail(self, error: Exception) -> None:
        pass


_NOBODY = _Nobody()
