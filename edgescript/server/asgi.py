"""The same graph as an ASGI 3 application, for hypercorn and any other ASGI server.

What ASGI cannot carry is left out and nothing else: tunnels (`can_upgrade` is false), interim responses, request and
response trailers over HTTP/1.1, and `abort`, for which a server answers 500.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import time
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import anyio
import anyio.abc
import anyio.lowlevel

from edgescript.http.body import Body, BodyBroken, FileRange, Sink, discard
from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers, first
from edgescript.http.message import Abort, HTTPError, Response, body_is_gone, plain_error
from edgescript.server.bounds import Bounds, bounds_of
from edgescript.server.head import CHUNKED, Refusal, body_length
from edgescript.server.serve import serve

if TYPE_CHECKING:
    from edgescript.graph.model import Graph, Listener
    from edgescript.http.trust import Trust

log = logging.getLogger("edgescript.server")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_FRAMING = frozenset((b"connection", b"content-length", b"transfer-encoding"))
_VERSIONS = frozenset(("1.0", "1.1", "2", "3"))
_FORBIDDEN = re.compile(rb"[\r\n\0]")
#: Bytes of a response that wait for the server to take them.
_MOST_QUEUED = 64 * 1024
#: Request bodies up to this size are handed to steps in one piece, if their length is known.
_COLLECTED = 64 * 1024
_READ = 64 * 1024


class Application:
    """
    A graph as an ASGI application.

    :param listener: whose sites answer; without it, the listener with the port that the server says it listens on, or
        the only one there is
    :param stamps: write `date` and `server`, for a server that does not
    """

    def __init__(
        self,
        graph: Graph,
        *,
        listener: Listener | None = None,
        stamps: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._stamps = stamps
        self._fixed = listener is not None
        #: What is in flight, and when it began.
        self._running: dict[anyio.CancelScope, float] = {}
        self._aborted = False
        self.replace(graph, listener)

    def replace(self, graph: Graph, listener: Listener | None = None) -> None:
        """Answer new requests by another graph."""
        self._graph = graph
        self._bounds = bounds_of(graph)
        self._default = listener if listener is not None else graph.listeners[0]
        self._by_port = {} if self._fixed else {one.port: one for one in graph.listeners if one.port is not None}

    def in_flight(self) -> Collection[float]:
        """When the requests began that are in flight."""
        return self._running.values()

    def abort(self) -> None:
        """Give up every request in flight, and those that still come."""
        self._aborted = True
        for running in tuple(self._running):
            running.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        with anyio.CancelScope() as running:
            self._running[running] = self._clock()
            if self._aborted:
                running.cancel()
            try:
                await self._dispatch(scope, receive, send)
            finally:
                del self._running[running]

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(scope, receive, send, "http.response")
        elif "websocket.http.response" in (scope.get("extensions") or {}):
            # A handshake is a GET that a site may answer as any other; only the tunnel cannot be had.
            scope["method"] = "GET"
            await self._answer(scope, receive, send, "websocket.http.response")
        else:
            await send({"type": "websocket.close"})

    async def _live(self, receive: Receive, send: Send) -> None:
        """From the server's start to its end."""
        await receive()  # lifespan.startup
        if self._fixed:  # whoever fixed the listener owns the graph
            await send({"type": "lifespan.startup.complete"})
            await receive()  # lifespan.shutdown
        elif (failure := await self._run(receive, send)) is not None:
            log.error("the application cannot be started", exc_info=failure)
            await send({"type": "lifespan.startup.failed", "message": str(failure)})
            return
        await send({"type": "lifespan.shutdown.complete"})

    async def _run(self, receive: Receive, send: Send) -> Exception | None:
        """Start the graph, and close it when the server ends; or the reason why it cannot be started."""
        failure: Exception | None = None
        async with anyio.create_task_group() as tasks:
            try:
                await self._graph.start(tasks)
            except Exception as error:
                failure = error
            else:
                await send({"type": "lifespan.startup.complete"})
                await receive()  # lifespan.shutdown
            await self._close()
            tasks.cancel_scope.cancel()
        return failure

    async def _close(self) -> None:
        try:
            await self._graph.close()
        except ExceptionGroup:
            log.exception("the application could not be closed in all its parts")

    async def _answer(self, scope: Scope, receive: Receive, send: Send, kind: str) -> None:
        # Before anything is awaited: a request that began before another graph came ends with the one that there was.
        listener, bounds = self._listener(scope), self._bounds
        client = _Client(scope, bounds.trust)
        answer = _Answer(send, kind, self._stamps, self._clock)
        try:
            exchange = await self._exchange(scope, receive, client, bounds, websocket=kind != "http.response")
        except HTTPError as error:
            listener.tally.refused(error.status)
            await answer.refuse(error)
            return
        in_flight = listener.tally.in_flight
        in_flight.add()
        try:
            async with anyio.create_task_group() as tasks:
                if isinstance(exchange.body, _RequestBody):
                    exchange.body.exchange = exchange
                    tasks.start_soon(exchange.body.run, tasks.cancel_scope)
                else:
                    tasks.start_soon(_watch, receive, tasks.cancel_scope)
                await answer.send(exchange, await self._response(exchange, listener))
                tasks.cancel_scope.cancel()
        finally:
            in_flight.add(-1.0)
            self._tell_end(exchange, answer.sent)

    async def _exchange(
        self, scope: Scope, receive: Receive, client: _Client, bounds: Bounds, *, websocket: bool
    ) -> Exchange:
        query = scope.get("query_string") or b""
        target = scope.get("raw_path") or scope["path"].encode()
        if query and b"?" not in target:
            target = target + b"?" + query
        if len(target) > bounds.max_uri_size:
            raise HTTPError(414, "the request target is too long")
        headers = [(bytes(name).lower(), bytes(value)) for name, value in scope["headers"]]
        size = len(target) + sum(len(name) + len(value) + 4 for name, value in headers)
        if len(headers) > bounds.max_header_count or size > bounds.max_header_size:
            raise HTTPError(431, "the request's head is too large")
        method = scope["method"].encode("latin-1")
        if method == b"CONNECT":
            raise HTTPError(501, "CONNECT is not supported")
        if b"#" in target:
            raise HTTPError(400, "the request target has a fragment")
        version = scope.get("http_version", "1.1")
        if version not in _VERSIONS:  # h11 takes any digits
            raise HTTPError(505, "the HTTP version is not supported")
        try:
            length = body_length(headers, version[-1:].encode() if version.startswith("1") else b"1")
        except Refusal as refused:
            raise HTTPError(refused.status, refused.reason) from None
        body = b"" if websocket else await _begin_body(headers, length, receive, bounds.max_body_size)
        return Exchange(client, method, target, version, headers, body, self._clock())

    async def _response(self, exchange: Exchange, listener: Listener) -> Response:
        try:
            outcome = serve(exchange, listener)
            return outcome if isinstance(outcome, Response) else await outcome
        except Abort:
            exchange.response = None
            return plain_error(HTTPError(500))

    def _listener(self, scope: Scope) -> Listener:
        server = scope.get("server")
        return self._by_port.get(server[1], self._default) if server else self._default

    def _tell_end(self, exchange: Exchange, sent: int) -> None:
        endings, exchange.endings = exchange.endings, None
        exchange.sent = sent
        exchange.duration = self._clock() - exchange.started
        if exchange.tally is not None:
            exchange.tally.count(exchange)
        for ending in endings or ():
            try:
                ending(exchange)
            except Exception:
                log.exception("an ending of %s failed", exchange.asked)


class _Client:
    """The `Client` of an ASGI request."""

    __slots__ = ("can_upgrade", "local_ip", "local_port", "remote_ip", "remote_port", "scheme", "trust")

    def __init__(self, scope: Scope, trust: Trust | None) -> None:
        remote, local = scope.get("client") or ("", 0), scope.get("server") or ("", 0)
        self.remote_ip, self.remote_port = str(remote[0]).removeprefix("::ffff:"), int(remote[1] or 0)
        self.local_ip, self.local_port = str(local[0]).removeprefix("::ffff:"), int(local[1] or 0)
        self.scheme = str({"ws": "http", "wss": "https"}.get(scope["scheme"], scope["scheme"]))
        self.trust = trust if trust is not None and trust.includes(self.remote_ip) else None
        self.can_upgrade = False

    def inform(self, status: int, headers: Headers) -> None:
        """ASGI has no interim responses; the server itself sends 100 where it is due."""


# ---- requests


async def _begin_body(headers: Headers, length: int, receive: Receive, limit: int | None) -> bytes | _RequestBody:
    if length == 0:
        return b""
    if limit is not None and length > limit:
        raise HTTPError(413, "the request's body is too large")
    if length == CHUNKED or length > _COLLECTED or first(headers, b"expect") is not None:
        return _RequestBody(receive, None if length == CHUNKED else length, limit)
    pieces = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise HTTPError(400, "the client is gone")
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(pieces)


async def _watch(receive: Receive, scope: anyio.CancelScope) -> None:
    """Cancel the work when the client is gone."""
    while (await receive())["type"] == "http.request":
        pass
    scope.cancel()


class _RequestBody:
    """A request's body as a push stream, out of ASGI messages."""

    def __init__(self, receive: Receive, length: int | None, limit: int | None) -> None:
        self.exchange: Exchange | None = None
        self._receive = receive
        self._length = length
        self._limit = limit
        self.received = 0
        self._sink: Sink | None = None
        self._done = False
        #: Set while messages are wanted.
        self._wanted = anyio.Event()
        self._paused = False

    @property
    def length(self) -> int | None:
        return self._length

    def start(self, sink: Sink) -> None:
        if self._done or self._sink is not None:
            sink.fail(body_is_gone())
            return
        self._sink = sink
        limit = self.exchange.body_limit if self.exchange is not None else None
        if limit is not None and (self._limit is None or limit < self._limit):
            self._limit = limit
        if self._limit is not None and self._length is not None and self._length > self._limit:
            self._fail(HTTPError(413, "the request's body is too large"))
        self._wanted.set()

    def pause(self) -> None:
        if not self._paused and not self._done:
            self._paused = True
            self._wanted = anyio.Event()

    def resume(self) -> None:
        self._paused = False
        self._wanted.set()

    def cancel(self) -> None:
        self._sink = None
        self._done = True
        self._wanted.set()

    def detach(self) -> tuple[int, bytes] | None:
        return None

    def reattach(self, remaining: int) -> None:
        raise RuntimeError("this body cannot be detached")

    async def run(self, scope: anyio.CancelScope) -> None:
        """Push what comes while it is wanted, and cancel the work when the client is gone."""
        while True:
            await self._wanted.wait()
            message = await self._receive()
            if message["type"] != "http.request":
                self._fail(BodyBroken("the client is gone"))
                scope.cancel()
                return
            self._push(message.get("body", b""), last=not message.get("more_body", False))

    def _push(self, data: bytes, *, last: bool) -> None:
        self.received += len(data)
        if self._limit is not None and self.received > self._limit:
            self._fail(HTTPError(413, "the request's body is too large"))
        if self._sink is not None and data:
            self._sink.write(data)
        if last and self._sink is not None:
            sink, self._sink, self._done = self._sink, None, True
            sink.end([])

    def _fail(self, error: Exception) -> None:
        sink, self._sink = self._sink, None
        self._done = True
        if sink is not None:
            sink.fail(error)


# ---- responses


class _Answer:
    """Sends one response as ASGI messages. Returning before its end makes the server break the connection."""

    def __init__(self, send: Send, kind: str, stamps: bool, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._send = send
        self._kind = kind
        self._stamps = stamps
        self.sent = 0

    async def refuse(self, error: HTTPError) -> None:
        response = plain_error(error)
        response.close = True
        await self._start(response, "1.1", _length_of(response, b"GET"), server=True)
        assert isinstance(response.body, bytes)
        await self._body(response.body, more=False)

    async def send(self, exchange: Exchange, response: Response) -> None:
        if response.status < 200 or any(_FORBIDDEN.search(name + value) for name, value in response.headers):
            log.error("the response to %s cannot be sent", exchange.asked)
            discard(response.body)
            response = exchange.response = plain_error(HTTPError(500))
        length = _length_of(response, exchange.original_method)
        body = response.body
        try:
            await self._start(response, exchange.version, length, server=exchange.changes is None)
        except BaseException:
            discard(body)
            raise
        exchange.answered = self._clock()
        if exchange.original_method == b"HEAD" or response.status in (204, 304):
            discard(body)
            await self._body(b"", more=False)
        elif isinstance(body, bytes):
            await self._body(body, more=False)
        elif isinstance(body, FileRange):
            await self._file(body)
        else:
            await self._stream(body)

    async def _start(self, response: Response, version: str, length: int | None, *, server: bool) -> None:
        headers = [pair for pair in response.headers if pair[0] not in _FRAMING]
        names = {name for name, _ in headers}
        if length is not None:
            headers.append((b"content-length", b"%d" % length))
        if response.close and version in ("1.0", "1.1"):
            headers.append((b"connection", b"close"))
        if self._stamps and server and b"server" not in names:
            headers.append((b"server", b"edge"))
        if self._stamps and b"date" not in names:
            headers.append((b"date", formatdate(usegmt=True).encode()))
        await self._send({"type": f"{self._kind}.start", "status": response.status, "headers": headers})

    async def _body(self, data: bytes, *, more: bool) -> None:
        await self._send({"type": f"{self._kind}.body", "body": data, "more_body": more})
        self.sent += len(data)
        if more:  # a server may take everything at once when the client is gone: let that be noticed
            await anyio.lowlevel.checkpoint()

    async def _file(self, part: FileRange) -> None:
        offset, left = part.offset, part.length
        try:
            while left:
                data = os.pread(part.descriptor, min(left, _READ), offset)
                if not data:
                    log.info("a file became shorter while it was sent")
                    return
                await self._body(data, more=True)
                offset += len(data)
                left -= len(data)
        finally:
            os.close(part.descriptor)
        await self._body(b"", more=False)

    async def _stream(self, body: Body) -> None:
        queue = _Queue(body)
        body.start(queue)
        try:
            while (piece := await queue.next()) is not None:
                await self._body(piece, more=True)
        finally:
            queue.close()
        if queue.error is None:
            await self._body(b"", more=False)
        else:
            log.info("a body broke off: %r", queue.error)


def _length_of(response: Response, method: bytes) -> int | None:
    """The content-length of a response (RFC 9110 8.6)."""
    if response.status == 204:
        return None
    if method == b"HEAD" or response.status == 304:
        said = first(response.headers, b"content-length")
        if said is not None and said.isdigit():
            return int(said)
        if response.status == 304:
            return None
    return len(response.body) if isinstance(response.body, bytes) else response.body.length


class _Queue:
    """A sink whose pieces are taken by a coroutine; the body pauses while too many wait."""

    def __init__(self, body: Body) -> None:
        self.error: Exception | None = None
        self._body = body
        self._pieces: list[bytes] = []
        self._size = 0
        self._ended = False
        self._paused = False
        self._changed = asyncio.Event()

    def write(self, data: bytes) -> None:
        self._pieces.append(data)
        self._size += len(data)
        self._changed.set()
        if self._size > _MOST_QUEUED and not self._paused:
            self._paused = True
            self._body.pause()

    def end(self, trailers: Headers) -> None:
        self._ended = True
        self._changed.set()

    def fail(self, error: Exception) -> None:
        self.error = error
        self.end([])

    async def next(self) -> bytes | None:
        """What is there, or None at the end."""
        while not self._pieces and not self._ended:
            self._changed.clear()
            await self._changed.wait()
        if not self._pieces:
            return None
        piece = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        if self._paused and not self._ended:
            self._paused = False
            self._body.resume()
        return piece

    def close(self) -> None:
        if not self._ended:
            self._ended = True
            self._body.cancel()
