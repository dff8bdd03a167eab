"""The end of a connection whose client may be sending still (RFC 9112 9.6).

Closing a socket with unread bytes resets the connection, and the reset may destroy the answer before the client has read it.
So the writing side is closed first, and what still comes is read and dropped for a bounded time. Its amount is not bounded:
many clients read nothing before they have sent everything, and would miss why a large upload is refused.
"""

from __future__ import annotations

import asyncio

from edgescript.server.lane import Lane
from edgescript.server.progress import Progress

#: Seconds, from the answer being out; nginx: lingering_time 30s, lingering_timeout 5s.
_MOST_TIME = 30.0
_MOST_SILENCE = 5.0


class Linger(asyncio.Protocol):
    """Takes a connection's last bytes."""

    __slots__ = ("_answered", "_heard", "_lane", "_progress", "_transport")

    def __init__(self, transport: asyncio.Transport, lane: Lane) -> None:
        self._transport = transport
        self._lane = lane
        #: When the answer was out, and when the client was heard last.
        self._answered = self._heard = lane.clock()
        self._progress = Progress()

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
        self._heard = self._lane.clock()

    def connection_lost(self, error: Exception | None) -> None:
        self._lane.discard(self)

    @property
    def began(self) -> None:
        """No request is in flight any more."""

    def update_trust(self) -> None:
        pass

    def sweep(self, now: float) -> None:
        waiting = self._transport.get_write_buffer_size()
        if waiting:
            self._answered = self._heard = now
            bounds = self._lane.bounds
            over = self._progress.stalled(now, -waiting, span=bounds.write_idle, rate=bounds.min_rate)
        else:
            over = now - self._answered >= _MOST_TIME or now - self._heard >= _MOST_SILENCE
        if over:
            self._transport.abort()

    def drain(self) -> None:
        """It ends soon."""
        self._answered -= _MOST_TIME - _MOST_SILENCE

    def abort(self) -> None:
        self._transport.abort()
