"""After a 101 response: raw bytes both ways, until both sides have ended or nothing moves for too long.

Each side of the tunnel is the protocol of one transport. A side that cannot take more stops the reading of the other; the
end of one side's bytes ends the other side's writing, where its transport has such a thing (TLS has not).
"""

from __future__ import annotations

import asyncio

from edgescript.upstream.connection import Connection


class _Side(asyncio.Protocol):
    """One end of a tunnel: what it receives goes out at the other."""

    __slots__ = ("_connection", "ended", "other", "transport")

    other: _Side

    def __init__(self, connection: Connection, transport: asyncio.Transport) -> None:
        self._connection = connection
        self.transport = transport
        self.ended = False

    def data_received(self, data: bytes) -> None:
        owner = self._connection.owner
        self._connection.deadline = owner.sweep.after(owner.limits.idle)
        if not self.other.transport.is_closing():
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        if not self.other.transport.is_closing():
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def eof_received(self) -> bool:
        """Whether this side can still be written to."""
        self.ended = True
        other = self.other
        if other.ended or other.transport.is_closing() or not other.transport.can_write_eof():
            other.transport.close()
            return False
        other.transport.write_eof()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        # What was received is still delivered; after an error the other side shall see one too.
        transport = self.other.transport
        if error is not None:
            transport.abort()
            return
        transport.close()
        idle = self._connection.owner.limits.idle
        if idle and transport.get_write_buffer_size():  # not to one that reads nothing any more
            asyncio.get_running_loop().call_later(idle, transport.abort)


class _UpstreamSide(_Side):
    """The end at the upstream: when it is gone, so is the pool's connection."""

    __slots__ = ()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._connection.connection_lost(error)


def open_tunnel(connection: Connection, transport: asyncio.Transport, received: bytes) -> None:
    """
    Join the client's transport to the connection of a 101 response.

    :param received: what the client sent behind its request
    """
    if connection.closed or connection.transport.is_closing():
        transport.close()
        return
    upstream, client = _UpstreamSide(connection, connection.transport), _Side(connection, transport)
    upstream.other, client.other = client, upstream
    connection.deadline = connection.owner.sweep.after(connection.owner.limits.idle)
    connection.transport.set_protocol(upstream)
    transport.set_protocol(client)
    if connection.leftover:
        transport.write(connection.leftover)
    if received:
        connection.transport.write(received)
    connection.transport.resume_reading()
    transport.resume_reading()
