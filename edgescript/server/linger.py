"""The end of a connection whose client may be sending still (RFC 9112 9.6).

Closing a socket with unread bytes resets the connection, and the reset may destroy the answer before the client has read it.
So the writing side is closed first, and what still comes is read and dropped for a bounded time and amount.
"""

from __future__ import annotations

import asyncio

from edgescript.server.lane import Lane

_MOST_TIME = 5.0  # seconds; nginx: lingering_timeout 5s
_MOST_BYTES = 1024 * 1024


class Linger(asyncio.Protocol):
    """Takes a connection's last bytes."""

    __slots__ = ("_deadline", "_lane", "_left", "_transport")

    def __init__(self, transport: asyncio.Transport, lane: Lane) -> None:
        self._transport = transport
        self._lane = lane
        self._deadline = lane.clock() + _MOST_TIME
        self._left = _MOST_BYTES

    @classmethod
    def take_over(cls, transport: asyncio.Transport, lane: Lane) -> None:
        """Close the writing side once everything is written, and wait for the client to close the other."""
        linger = cls(transport, lane)
        transport.set_protocol(linger)
        lane.add(linger)
        if transport.can_write_eof():
            transport.write_eof()
        else:
            transport.close()

    def data_received(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._lane.discard(self)

    def sweep(self, now: float) -> None:
        if now >= self._deadline:
            self._transport.abort()

    def drain(self) -> None:
        """Nothing to do: it ends soon."""

    def abort(self) -> None:
        self._transport.abort()
