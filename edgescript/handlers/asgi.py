"""One request answered by an ASGI application: an exchange as its scope, and its messages as a response, with backpressure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from edgescript.api._scope import Scope
from edgescript.api._streams import Pushed, Reader
from edgescript.http import target as targets
from edgescript.http.body import BodyBroken
from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers, every, first
from edgescript.http.message import HTTPError, Response
from edgescript.http.pending import Pending

log = logging.getLogger("edgescript.handlers")

Message = dict[str, Any]
#: An application, with what is needed to call it filled in.
Call = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

#: Seconds that an application has to notice that its client is gone, before it is cancelled.
PATIENCE = 5.0
_BODILESS = (204, 304)


class ClientGone(OSError):
    """What `send` raises when nobody takes the response any more, as ASGI asks for."""


def scope_of(exchange: Exchange, kind: str, state: dict[str, Any]) -> Message:
    """
    What an application is told of a request. What `handle_path` has taken away is the `root_path`.

    :param kind: `http` or `websocket`
    """
    client = exchange.client
    root = root_of(exchange)
    return {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": exchange.version,
        "method": exchange.method.decode("latin-1"),
        "scheme": client.scheme,
        "path": _text(root + exchange.path),
        "raw_path": targets.split(exchange.target, exchange.original_method)[1] if root else exchange.raw_path,
        "query_string": exchange.query or b"",
        "root_path": _text(root),
        "headers": _fields(exchange.headers),
        "client": (exchange.client_ip, client.remote_port),
        "server": (client.local_ip, client.local_port),
        "state": state.copy(),
        "extensions": {},
    }


def root_of(exchange: Exchange) -> str:
    """What `handle_path` has taken away from the path."""
    if exchange.uri == exchange.target:
        return ""
    _, raw_path, _ = targets.split(exchange.target, exchange.original_method)
    original = targets.decode(raw_path)  # that it can be decoded was found out when the exchange was made
    is_longer = len(original) > len(exchange.path) and original.endswith(exchange.path)
    return original.removesuffix(exchange.path) if is_longer else ""


def _text(path: str) -> str:
    """A path for applications, which expect that it can be encoded: what is no UTF-8 is replaced, as elsewhere."""
    return path if path.isascii() else path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _fields(headers: Headers) -> Headers:
    """Header fields for applications, with one Cookie: HTTP/2 has several (RFC 9113 8.2.3), and most look at the first."""
    cookies = every(headers, b"cookie")
    if len(cookies) < 2:
        return list(headers)
    return [*(pair for pair in headers if pair[0] != b"cookie"), (b"cookie", b"; ".join(cookies))]


class Cycle:
    """One request and its response."""

    def __init__(self, exchange: Exchange, scope: Scope) -> None:
        self._exchange = exchange
        self._scope = scope
        body = exchange.body
        self._content: bytes | None = body if isinstance(body, bytes) else None
        self._reader = None if isinstance(body, bytes) else Reader(body)
        #: All of the request has been received by the application.
        self._read = False
        self._gone = asyncio.Event()
        self._answer: Pending[Response] = Pending()
        self._started: tuple[int, list[tuple[bytes, bytes]]] | None = None
        self._body: Pushed | None = None
        #: Bytes that the head promised and that have not come.
        self._left: int | None = None
        self._complete = False
        self._refused: HTTPError | None = None

    async def respond(self, call: Call, message: Message, within: float | None) -> Response:
        """
        The application's response, as soon as its head is there.

        :raises HTTPError: 504, if it does not come in time; what is wrong with the request's body
        :raises Exception: whatever the application raises before it
        """
        task = self._scope.run(called(call, message, self.receive, self.send))
        task.add_done_callback(self._ended)
        timer = None
        if within is not None:
            too_slow = HTTPError(504, f"{self._scope.name} takes longer than {within:g} s")
            timer = self._scope.loop.call_later(within, self._answer.fail, too_slow)
        try:
            return await self._answer
        except BaseException:
            self._leave(task)
            raise
        finally:
            if timer is not None:
                timer.cancel()
            if self._body is not None:
                self._body.gone = lambda: self._leave(task)

    def _leave(self, task: asyncio.Task[Any]) -> None:
        """Nobody waits for the application any more: it is told so, and has a while to end by itself."""
        self._gone.set()
        self._scope.exchange = None
        if not task.done():
            timer = self._scope.loop.call_later(PATIENCE, task.cancel)
            task.add_done_callback(lambda _: timer.cancel())

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """The application has returned, or failed."""
        if self._reader is not None:
            self._reader.close()
        error: BaseException | None = None
        if task.cancelled():
            error = BodyBroken("the application was cancelled")
        elif (error := task.exception()) is None and not self._complete:
            error = RuntimeError(f"{self._scope.name} returned before its response was complete")
        self._gone.set()
        if error is None:
            return
        if not self._answer.done:
            self._answer.fail(self._refused or error)
        elif not self._complete and self._body is not None and not self._body.cancelled:
            log.error("a response broke off, in %s", self._scope.name, exc_info=error)
            self._body.break_off(error if isinstance(error, Exception) else BodyBroken(repr(error)))
        elif not isinstance(error, ClientGone | BodyBroken):
            log.error("%s failed when its response was sent, or nobody waited for it", self._scope.name, exc_info=error)

    # ---- the application's side

    async def receive(self) -> Message:
        """The next piece of the request, and then, when there is such a thing, that the client is gone."""
        if not self._read and not self._gone.is_set():
            try:
                return await self._next_piece()
            except BodyBroken:
                self._gone.set()
            except HTTPError as error:
                self._refused = error
                raise
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _next_piece(self) -> Message:
        if self._reader is None:
            piece, self._content = self._content or b"", None
            self._read = True
        else:
            piece = await self._reader.read()
            self._read = not piece
        return {"type": "http.request", "body": piece, "more_body": not self._read}

    async def send(self, message: Message) -> None:
        """
        Take a piece of the response; waits while the client cannot keep up.

        :raises ClientGone: if nobody takes it any more
        :raises RuntimeError: if it is not this message's turn
        """
        kind = message["type"]
        if kind == "http.response.start" and self._started is None:
            self._started = _head(message)
        elif kind == "http.response.body" and self._started is not None and not self._complete:
            await self._send_body(bytes(message.get("body", b"")), more=message.get("more_body", False))
        else:
            raise RuntimeError(f"the application may not send {kind} now")

    async def _send_body(self, data: bytes, *, more: bool) -> None:
        assert self._started is not None, "the head came before"
        status, headers = self._started
        if not self._answer.done and not more:
            self._complete = True
            self._answer.set(Response(status, headers, data))
            self._gone.set()
            return
        if self._body is None:
            if self._answer.done:  # it was given up
                raise ClientGone("nobody waits for the response any more")
            self._begin_stream(status, headers)
        body = self._body
        assert body is not None
        self._count(len(data), last=not more)
        try:
            await body.push(data)
            if not more:
                self._complete = True
                await body.finish()
                self._gone.set()
        except BodyBroken:
            if self._exchange.original_method != b"HEAD" and status not in _BODILESS:
                raise ClientGone("the client is gone") from None
            self._complete = self._complete or not more

    def _begin_stream(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        said = first(headers, b"content-length")
        self._left = int(said) if said is not None and said.isdigit() else None
        self._body = Pushed(length=self._left, gone=self._gone.set)
        response = Response(status, headers, self._body)
        self._answer.set(response)

    def _count(self, size: int, *, last: bool) -> None:
        """Hold the application to the length that it promised: the connection's framing depends on it."""
        if self._left is None or self._exchange.original_method == b"HEAD":
            return
        self._left -= size
        if self._left < 0 or (last and self._left):
            raise RuntimeError("the application's response is not as long as its content-length says")


def _head(message: Message) -> tuple[int, list[tuple[bytes, bytes]]]:
    status = message["status"]
    if not isinstance(status, int) or not 200 <= status <= 999:
        raise ValueError(f"{status!r} is no status of a response")
    return status, [(bytes(name).lower(), bytes(value)) for name, value in message.get("headers", ())]


async def called(call: Call, message: Message, receive: Any, send: Any) -> None:
    """Call an application; what would end the event loop is an error like others."""
    try:
        await call(message, receive, send)
    except (SystemExit, KeyboardInterrupt) as error:
        raise RuntimeError(f"the application raised {type(error).__name__}") from error
