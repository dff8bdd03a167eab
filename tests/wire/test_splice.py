"""The pump between two plain sockets: everything arrives, and every way to stop is told."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from edgescript.http import splice
from edgescript.http.splice import Pump, PumpError, SinkBroken, SourceBroken

pytestmark = pytest.mark.skipif(not splice.AVAILABLE, reason="os.splice is Linux's")


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


class Ends:
    """Two pairs of sockets with a pump in between, and its result as a future."""

    def __init__(self) -> None:
        self.feed, self.source = socket.socketpair()
        self.sink, self.out = socket.socketpair()
        for one in (self.feed, self.source, self.sink, self.out):
            one.setblocking(False)
        self.loop = asyncio.get_running_loop()
        self.result: asyncio.Future[tuple[int, PumpError | None]] = self.loop.create_future()

    def start(self, count: int, *, prefix: bytes = b"", patience: float = 60.0) -> Pump:
        pump = Pump(self.loop, patience=patience)
        pump.start(self.source.fileno(), self.sink.fileno(), count, self.done, prefix=prefix)
        return pump

    def done(self, remaining: int, error: PumpError | None) -> None:
        self.result.set_result((remaining, error))

    def close(self) -> None:
        for one in (self.feed, self.source, self.sink, self.out):
            one.close()


@pytest.mark.parametrize("prefix", [b"", b"head", bytes(500_000)])
@pytest.mark.parametrize("size", [1, 100_000, 5_000_000])
def test_all_bytes_arrive_and_no_more_are_taken(no_leaks: None, size: int, prefix: bytes) -> None:
    body = os.urandom(size)

    async def main() -> None:
        ends = Ends()
        pump = ends.start(size, prefix=prefix)
        sending = asyncio.create_task(ends.loop.sock_sendall(ends.feed, body + b"next"))
        received = b""
        while len(received) < len(prefix) + size:
            received += await ends.loop.sock_recv(ends.out, 1_000_000)
        assert received == prefix + body
        assert await ends.result == (0, None)
        await sending
        assert await ends.loop.sock_recv(ends.source, 10) == b"next"
        assert pump.moved == len(prefix) + size
        ends.close()

    run(main)


def test_a_source_that_ends_early_is_told(no_leaks: None) -> None:
    async def main() -> None:
        ends = Ends()
        ends.start(100_000)
        ends.feed.send(bytes(1000))
        ends.feed.close()
        remaining, error = await ends.result
        assert (remaining, type(error)) == (99_000, SourceBroken)
        ends.close()

    run(main)


def test_a_sink_that_is_closed_is_told(no_leaks: None) -> None:
    async def main() -> None:
        ends = Ends()
        ends.out.close()
        ends.feed.send(bytes(1000))
        ends.start(100_000)
        remaining, error = await ends.result
        assert (remaining, type(error)) == (99_000, SinkBroken)
        ends.close()

    run(main)


@pytest.mark.parametrize("sends", [0, 1_000_000])
def test_a_stall_is_told_with_the_side_that_stalled(no_leaks: None, sends: int) -> None:
    async def main() -> None:
        ends = Ends()
        ends.start(10_000_000, patience=0.05)
        sending = asyncio.create_task(ends.loop.sock_sendall(ends.feed, bytes(sends)))
        _, error = await ends.result
        assert isinstance(error, SinkBroken if sends else SourceBroken)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        ends.close()

    run(main)


def test_a_cancelled_pump_says_nothing(no_leaks: None) -> None:
    async def main() -> None:
        ends = Ends()
        ends.feed.send(bytes(1000))
        pump = ends.start(100_000)
        assert pump.cancel() == 99_000
        await asyncio.sleep(0)
        assert not ends.result.done()
        ends.close()

    run(main)
