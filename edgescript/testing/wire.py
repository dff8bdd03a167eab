"""Connections in memory: two transports, and what is written to one arrives at the other, in order and never at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any


class End(asyncio.Transport):
    """One end of a connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._loop = loop
        self._protocol = protocol
        self._peer: End | None = None
        self._arrived: list[bytes] = []
        self._ended = False
        self._reading = True
        self._closing = False
        self._due = False

    def join(self, peer: End) -> None:
        self._peer = peer

    # ---- what came from the other end

    def _receive(self, data: bytes) -> None:
        self._arrived.append(data)
        self._wake()

    def _receive_end(self) -> None:
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        if not self._due and self._reading and not self._closing:
            self._due = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._due = False
        if self._arrived and self._reading and not self._closing:
            data = b"".join(self._arrived)
            self._arrived.clear()
            self._protocol.data_received(data)
        if self._ended and not self._arrived and self._reading and not self._closing:
            self._ended = False
            if not self._protocol.eof_received():
                self.close()

    # ---- asyncio.Transport

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if self._peer is not None and not self._closing and data:
            self._peer._receive(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview[Any]]) -> None:
        self.write(b"".join(list_of_data))

    def write_eof(self) -> None:
        if self._peer is not None:
            self._peer._receive_end()

    def can_write_eof(self) -> bool:
        return True

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        if self._arrived or self._ended:
            self._wake()

    def is_reading(self) -> bool:
        return self._reading

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        self._arrived.clear()
        if self._peer is not None:
            self._peer._receive_end()
        self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol), "what is written here is a stream"
        self._protocol = protocol

    def get_protocol(self) -> asyncio.Protocol:
        return self._protocol


def connect(one: asyncio.Protocol, other: asyncio.Protocol) -> None:
    """Connect two protocols."""
    loop = asyncio.get_running_loop()
    ends = End(loop, one), End(loop, other)
    ends[0].join(ends[1])
    ends[1].join(ends[0])
    other.connection_made(ends[1])
    one.connection_made(ends[0])
