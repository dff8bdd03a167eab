"""Server-sent events: one stream for each client, and feeds that many clients listen to.

A client that does not read costs a bounded number of bytes: what comes meanwhile is kept up to a limit, the oldest of it is
dropped, and the client is told how many events it has missed. The lane cuts off who never reads (`write_idle`).
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from typing import Any

import anyio

from edgescript.http.body import Sink
from edgescript.http.message import HTTPError, Response

log = logging.getLogger("edgescript.admin")

#: Clients of one feed.
_MOST_CLIENTS = 1000
#: Bytes that wait for one client.
_MOST_WAITING = 256 * 1024
#: Seconds after which a quiet stream says that it is alive: what is in between gives up silent connections after 30 or more.
_QUIET = 15.0

_HEADERS = ((b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store"))


def event(data: str, name: str | None = None) -> bytes:
    """One event as it is sent (HTML, 9.2.5): a line of `data` for each line."""
    head = f"event: {name}\n" if name else ""
    lines = data.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return (head + "".join(f"data: {line}\n" for line in lines) + "\n").encode("utf-8", "replace")


class EventStream:
    """The body of a response that ends when either side has had enough."""

    length = None

    def __init__(self, *, gone: Callable[[EventStream], None], most_waiting: int = _MOST_WAITING) -> None:
        self._gone = gone
        self._most_waiting = most_waiting
        self._sink: Sink | None = None
        self._paused = False
        self._waiting: deque[bytes] = deque()
        #: Bytes that wait, and events that were dropped since the client last read.
        self.waiting = 0
        self.dropped = 0
        self.over = False

    def send(self, data: bytes) -> None:
        """Send an event, or keep it until the client can read."""
        if self.over:
            return
        if self._sink is not None and not self._paused:
            self._sink.write(data)
            return
        self._waiting.append(data)
        self.waiting += len(data)
        while self.waiting > self._most_waiting:
            self.waiting -= len(self._waiting.popleft())
            self.dropped += 1

    def finish(self) -> None:
        """End the stream: the server stops."""
        self._leave()
        if self._sink is not None:
            self._sink.end([])

    def start(self, sink: Sink) -> None:
        self._sink = sink
        if self.over:
            sink.end([])
        else:
            sink.write(b"retry: 2000\n\n")
            self._flush(sink)

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        assert self._sink is not None, "only a sink resumes"
        self._flush(self._sink)

    def _flush(self, sink: Sink) -> None:
        if self.dropped and not self._paused:
            sink.write(event(str(self.dropped), "dropped"))
            self.dropped = 0
        while self._waiting and not self._paused:
            data = self._waiting.popleft()
            self.waiting -= len(data)
            sink.write(data)

    def cancel(self) -> None:
        self._leave()

    def detach(self) -> tuple[int, bytes] | None:
        return None

    def reattach(self, remaining: int) -> None:
        raise AssertionError("an event stream is never detached")

    def _leave(self) -> None:
        if not self.over:
            self.over = True
            self._waiting.clear()
            self.waiting = 0
            self._gone(self)


#: Makes of an item the bytes for one client, or None where the client does not want it.
Taste = Callable[[Any], bytes | None]


class Feed:
    """
    One source of items, asked only while somebody listens.

    :param source: gives the items; it is begun anew whenever somebody listens again
    """

    def __init__(self, source: Callable[[], AsyncIterator[Any]], *, most_waiting: int = _MOST_WAITING) -> None:
        self._source = source
        self._most_waiting = most_waiting
        self._clients: dict[EventStream, Taste] = {}
        self._wanted = anyio.Event()
        self._closed = False

    def __len__(self) -> int:
        return len(self._clients)

    def answer(self, taste: Taste) -> Response:
        """
        A response that has every item from now on.

        :raises HTTPError: 503, if there are too many clients
        """
        if self._closed or len(self._clients) >= _MOST_CLIENTS:
            raise HTTPError(503, "too many clients listen already", [(b"retry-after", b"10")])
        stream = EventStream(gone=self._forget, most_waiting=self._most_waiting)
        self._clients[stream] = taste
        self._wanted.set()
        return Response(200, [*_HEADERS], stream)

    def _forget(self, stream: EventStream) -> None:
        self._clients.pop(stream, None)
        if not self._clients:
            self._wanted = anyio.Event()

    async def run(self) -> None:
        """Pass items on, for as long as the server runs."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._keep_alive)
            while True:
                await self._wanted.wait()
                try:
                    await self._pass_on()
                except Exception:
                    log.exception("a feed of the admin address failed, and is begun anew")
                    await anyio.sleep(1)

    async def _pass_on(self) -> None:
        items = self._source()
        async with _closing(items):
            async for item in items:
                for stream, taste in tuple(self._clients.items()):
                    data = taste(item)
                    if data is not None:
                        stream.send(data)
                if not self._clients:
                    return
        # The source has ended, which it does when the server stops.
        await anyio.sleep(1)

    async def _keep_alive(self) -> None:
        while True:
            await anyio.sleep(_QUIET)
            for stream in tuple(self._clients):
                stream.send(b":\n\n")

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        for stream in tuple(self._clients):
            stream.finish()


def _closing(items: Any) -> AbstractAsyncContextManager[Any]:
    close: Callable[[], Awaitable[None]] | None = getattr(items, "aclose", None)
    return nullcontext() if close is None else aclosing(items)
