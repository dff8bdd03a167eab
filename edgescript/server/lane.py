"""What the connections of one listener share: its sites, its bounds, the date, and the one timer that sweeps them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import TYPE_CHECKING, Protocol

from edgescript.server.bounds import Bounds

if TYPE_CHECKING:
    from edgescript.graph.model import Listener


class Swept(Protocol):
    """A connection, as the sweep and the stop see it."""

    @property
    def began(self) -> float | None:
        """When the request began that is in flight, by the lane's clock."""

    def update_trust(self) -> None:
        """The lane's bounds name other trusted proxies now."""

    def sweep(self, now: float) -> None:
        """Give up whatever has taken too long."""

    def drain(self) -> None:
        """Close now if nothing is in flight, or after the answer that is."""

    def abort(self) -> None:
        """Close now, whatever is in flight."""


class Lane:
    """The fast lane of one listener."""

    def __init__(
        self,
        listener: Listener,
        bounds: Bounds,
        *,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.listener = listener
        self.bounds = bounds
        self.loop = loop
        self.clock = clock
        self.draining = False
        self.connections: set[Swept] = set()
        #: Transports that were handed over to tunnels.
        self.tunnels: set[asyncio.Transport] = set()
        #: How many of both the metrics have been told of.
        self._counted = 0
        #: The fields that every response gets, as they are written.
        self.stamp = b""
        self.date_field = b""
        self._wall_clock = wall_clock
        self._empty: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stamp_date()

    def replace(self, listener: Listener, bounds: Bounds) -> None:
        """Answer new requests by another graph's listener."""
        trusted = self.bounds.trust
        self.listener = listener
        self.bounds = bounds
        if bounds.trust != trusted:
            for connection in self.connections:
                connection.update_trust()

    def in_flight(self) -> Iterator[float]:
        """When the requests began that are in flight. Asked now and then, so that no request has to tell."""
        for connection in self.connections:
            began = connection.began
            if began is not None:
                yield began

    def add(self, connection: Swept) -> None:
        self.connections.add(connection)
        self.listener.tally.accepted.add()
        self._count_open()
        if self._timer is None:
            self._stamp_date()
            self._timer = self.loop.call_later(self._interval(), self._tick)

    def discard(self, connection: Swept) -> None:
        self.connections.discard(connection)
        self._count_open()
        self._notice_empty()

    def sweep(self) -> None:
        """Give up whatever has taken too long, on every connection. Runs by itself; tests with a clock call it."""
        now = self.clock()
        for connection in tuple(self.connections):
            connection.sweep(now)
        self.tunnels = {transport for transport in self.tunnels if not transport.is_closing()}
        self._count_open()
        self._notice_empty()

    def last_call(self) -> None:
        """Close each connection behind its next answer: a client whose request is on its way must not find it closed."""
        self.draining = True

    def retire(self) -> None:
        """Let what is in flight finish, tunnels as well, and begin nothing more."""
        self.draining = True
        for connection in tuple(self.connections):
            connection.drain()

    async def drain(self, grace_period: float) -> None:
        """Let what is in flight finish, for at most `grace_period` seconds, and then cut it off."""
        self.retire()
        self._empty = self.loop.create_future()
        self._notice_empty()
        try:
            await asyncio.wait_for(self._empty, grace_period)
        except TimeoutError:
            self.abort()
        finally:
            self._empty = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def abort(self) -> None:
        """Cut every connection off."""
        for connection in tuple(self.connections):
            connection.abort()
        for transport in self.tunnels:
            transport.abort()
        self.tunnels.clear()

    def _count_open(self) -> None:
        count = len(self.connections) + len(self.tunnels)
        self.listener.tally.open.add(count - self._counted)  # another lane may still drain the same address
        self._counted = count

    def _notice_empty(self) -> None:
        if self._empty is not None and not self._empty.done() and not self.connections and not self.tunnels:
            self._empty.set_result(None)

    def _interval(self) -> float:
        """At most a second, for the date; a quarter of the shortest timeout, so that none is missed by much."""
        bounds = self.bounds
        shortest = min(bounds.read_header, bounds.read_body_idle, bounds.write_idle, bounds.idle)
        return min(1.0, max(shortest / 4, 0.01))

    def _tick(self) -> None:
        self._timer = None
        self.sweep()
        if self.connections or self.tunnels:
            self._stamp_date()
            self._timer = self.loop.call_later(self._interval(), self._tick)

    def _stamp_date(self) -> None:
        self.date_field = b"date: %b\r\n" % formatdate(self._wall_clock(), usegmt=True).encode()
        self.stamp = b"server: edge\r\n" + self.date_field
