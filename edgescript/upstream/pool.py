"""The connections to one endpoint: those that wait for work, and how new ones come.

There are three cases for whoever wants a connection: an idle one is there (`take`, which costs nothing); a new one may be
made; or as many as may be are busy, and it waits its turn. In the last two, `connect` waits for whichever comes first, a
new connection or one that has become free.
"""

from __future__ import annotations

from collections import deque
from math import inf
from typing import TYPE_CHECKING

from edgescript.http.pending import Pending
from edgescript.metric import Meter
from edgescript.upstream.counts import EndpointCounts
from edgescript.upstream.endpoint import Endpoint
from edgescript.upstream.failure import Stage, UpstreamError, describe
from edgescript.upstream.limits import Limits
from edgescript.upstream.sweep import TICK, Sweep, running_sweep

# Pools are made wherever an Edgefile is read, and most of those who read one (`edge validate`) never dial. So asyncio, and the
# connection that is a protocol of it, are imported by dialling.
if TYPE_CHECKING:
    import asyncio

    from edgescript.upstream.connection import Connection


class Pool:
    """A keep-alive pool; belongs to the event loop that it is first used in."""

    sweep: Sweep

    def __init__(self, endpoint: Endpoint, limits: Limits, meter: Meter | None = None) -> None:
        self.endpoint = endpoint
        self.address = endpoint.address
        self.counts = EndpointCounts(meter or Meter(), endpoint.address)
        self.authority = endpoint.authority.encode()
        self.limits = limits
        #: Last in, first out: the others grow old, and are closed.
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._dials: set[asyncio.Task[None]] = set()
        #: Who waits, and until when.
        self._waiting: deque[tuple[Pending[Connection], float]] = deque()
        self._closed = False

    def __repr__(self) -> str:
        return f"<Pool {self.address}: {self.in_use} in use, {len(self._idle)} idle, {len(self._waiting)} waiting>"

    @property
    def in_use(self) -> int:
        """How many connections have an exchange."""
        return len(self._open) - len(self._idle)

    @property
    def idle(self) -> int:
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """How many exchanges wait for a connection."""
        return len(self._waiting)

    # ---- getting one

    def take(self) -> Connection | None:
        """An idle connection, or None."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if not connection.transport.is_closing():
                return connection
        return None

    async def connect(self) -> Connection:
        """
        A connection that is new or has just become free. Waits for nothing but a `Pending`.

        :raises UpstreamError: if there is none to be had, or not in time
        """
        if self._closed:
            raise UpstreamError("the server is going down", Stage.UNSENT, status=503)
        if self.limits.max_connections and len(self._waiting) >= self.limits.max_waiting:
            raise UpstreamError("too many requests wait for a connection", Stage.UNSENT, status=503)
        self.sweep = running_sweep()
        pending: Pending[Connection] = Pending()
        # Dialling has a time limit of its own, which says more.
        turn = (pending, self.sweep.after(self.limits.connect + 1))
        self._waiting.append(turn)
        self.sweep.watch(self)
        self._dial_if_needed()
        try:
            return await pending
        except BaseException:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif pending.given:  # a task that was cancelled when its turn had come
                self.release(pending.result())
            raise

    def _dial_if_needed(self) -> None:
        import asyncio

        most = self.limits.max_connections
        while len(self._dials) < len(self._waiting):
            if most and len(self._open) + len(self._dials) >= most:
                return
            task = asyncio.get_running_loop().create_task(self._dial())
            self._dials.add(task)
            task.add_done_callback(self._dials.discard)

    async def _dial(self) -> None:
        import asyncio

        from edgescript.upstream.connection import Connection

        try:
            async with asyncio.timeout(None if self.limits.connect == inf else self.limits.connect):
                connection = await self.endpoint.dial(lambda: Connection(self))
        except Exception as error:  # whatever name resolution, sockets and TLS can raise
            self._dialled()
            status = 504 if isinstance(error, TimeoutError) else 502
            self._refuse_next(UpstreamError(describe(error), Stage.UNSENT, status=status))
        else:
            self._dialled()
            if connection.closed:
                self._refuse_next(UpstreamError("it closed the connection", Stage.UNSENT))
                return
            self._open.add(connection)
            self.sweep.watch(self)
            self.release(connection)

    def _dialled(self) -> None:
        import asyncio

        task = asyncio.current_task()
        assert task is not None
        self._dials.discard(task)

    def _refuse_next(self, error: UpstreamError) -> None:
        if self._waiting:
            pending, _ = self._waiting.popleft()
            pending.fail(error)
        self._dial_if_needed()

    # ---- giving it back

    def release(self, connection: Connection) -> None:
        """A connection whose exchange is over is free for the next."""
        limits, now = self.limits, self.sweep.now
        if self._closed or connection.transport.is_closing() or connection.born + limits.max_age < now:
            connection.abort()
        elif self._waiting and self._hand_over(connection):
            return
        elif len(self._idle) >= limits.keepalive_connections:
            connection.abort()
        else:
            connection.deadline = now + limits.keepalive + TICK
            self._idle.append(connection)

    def _hand_over(self, connection: Connection) -> bool:
        """Give a connection to who has waited longest, but not to a task that was cancelled and does not know it yet."""
        while self._waiting:
            pending, _ = self._waiting.popleft()
            if not pending.done:
                pending.set(connection)
                return True
        return False

    def forget(self, connection: Connection) -> None:
        """A connection is of no more use: its place is free."""
        if connection not in self._open:
            return
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if self._waiting:
            self._dial_if_needed()
        elif not self._open:
            self._rest()

    def _rest(self) -> None:
        """There is nothing to watch any more."""
        self.sweep.forget(self)
        self.counts.connections(0, 0)

    # ---- time

    def expire(self, now: float) -> None:
        """Act on the deadlines that have passed."""
        for connection in [connection for connection in self._open if connection.deadline <= now]:
            connection.expire()
        while self._waiting and self._waiting[0][1] <= now:
            pending, _ = self._waiting.popleft()
            pending.fail(UpstreamError("no connection became free in time", Stage.UNSENT, status=503))
        if not self._open and not self._waiting:
            self._rest()
        else:
            self.counts.connections(self.in_use, self.idle)

    async def close(self) -> None:
        """
        Close the connections that nobody uses, and every other one when it is given back; there are no new ones.

        Nobody cuts the others off: each ends with its client, and the server ends with the last of those, or cuts it off.
        """
        self._closed = True
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.abort()
        dials = tuple(self._dials)
        for task in dials:
            task.cancel()
        if dials:
            import asyncio

            await asyncio.gather(*dials, return_exceptions=True)
        while self._waiting:
            pending, _ = self._waiting.popleft()
            pending.fail(UpstreamError("the server is going down", Stage.UNSENT, status=503))
        await self.counts.close()
