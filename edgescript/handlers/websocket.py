"""A WebSocket of an ASGI application (RFC 6455): the handshake as a response that takes the connection over, and its messages.

wsproto reads and writes the frames. Nothing is compressed: no extension is offered.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import io
import logging
from collections import deque
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from edgescript.api._scope import Scope
from edgescript.handlers.asgi import Call, ClientGone, Message, called
from edgescript.http.body import Sink
from edgescript.http.exchange import Exchange
from edgescript.http.headers import elements, every, first
from edgescript.http.message import HTTPError, Response
from edgescript.http.pending import Pending

if TYPE_CHECKING:
    from wsproto.connection import Connection

log = logging.getLogger("edgescript.handlers")

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#: Bytes of one message, and of those that wait for the application.
LARGEST_MESSAGE = 16 * 1024 * 1024
_MOST_WAITING = 64 * 1024
#: What a message that waits takes beside its bytes: a frame of six bytes may bring an empty one.
_OVERHEAD = 256
#: Seconds that a client has to answer a close, and to take what was sent before it.
_CLOSING = 10.0


class _State(Enum):
    ASKED = auto()  # the application has not said yet whether it accepts
    OPEN = auto()
    CLOSED = auto()


def handshake_key(exchange: Exchange) -> bytes | None:
    """The key of a request for a WebSocket that can be had here; None of any other request."""
    headers = exchange.headers
    if exchange.method != b"GET" or exchange.version != "1.1" or not exchange.client.can_upgrade or exchange.body:
        return None
    protocols = [element.lower() for element in elements(every(headers, b"upgrade"))]
    options = [element.lower() for element in elements(every(headers, b"connection"))]
    if b"websocket" not in protocols or b"upgrade" not in options:
        return None
    key = first(headers, b"sec-websocket-key") or b""
    try:
        is_sound = len(base64.b64decode(key, validate=True)) == 16
    except binascii.Error:
        is_sound = False
    return key if is_sound and first(headers, b"sec-websocket-version") == b"13" else None


class Session(asyncio.Protocol):
    """
    One WebSocket, from its handshake to its end; the protocol of its connection.

    It is the body of its 101 as well, so that it hears of it where that is never sent (a wrapper has another answer).
    """

    #: Of the 101, which has no body.
    length = 0

    def __init__(self, exchange: Exchange, scope: Scope, key: bytes) -> None:
        self._scope = scope
        self._key = key
        self._state = _State.ASKED
        self._offered = [
            part.decode("latin-1") for part in elements(every(exchange.headers, b"sec-websocket-protocol"))
        ]
        self._answer: Pending[Response] = Pending()
        self._taken: Pending[None] = Pending()
        self._incoming: deque[Message] = deque([{"type": "websocket.connect"}])
        self._waiting_size = _OVERHEAD
        self._arrived = asyncio.Event()
        self._may_write = asyncio.Event()
        self._may_write.set()
        #: The transport has room for answers to pings.
        self._may_answer = True
        self._wire: Connection
        self._transport: asyncio.Transport | None = None
        #: The message that is arriving, which may come in a million pieces.
        self._whole: io.StringIO | io.BytesIO | None = None
        self._whole_size = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._refusal: tuple[int, list[tuple[bytes, bytes]]] | None = None
        self._refusal_body = b""

    @property
    def is_open(self) -> bool:
        """Whether its client is still there."""
        return self._state is _State.OPEN and self._transport is not None and not self._transport.is_closing()

    def message(self, message: Message) -> Message:
        """The application's scope, out of that of a request."""
        del message["method"]
        message["scheme"] = {"http": "ws", "https": "wss"}[message["scheme"]]
        message["subprotocols"] = self._offered
        message["extensions"] = {"websocket.http.response": {}}
        return message

    async def respond(self, call: Call, message: Message, within: float | None, task: Any) -> Response:
        """
        The handshake's response: 101, or what refuses it.

        :param task: runs a coroutine in a task that lasts
        :raises HTTPError: 504, if the application does not say in time
        """
        running: asyncio.Task[None] = task(called(call, self.message(message), self.receive, self.send))
        running.add_done_callback(self._ended)
        timer = None
        if within is not None:
            too_slow = HTTPError(504, f"{self._scope.name} takes longer than {within:g} s")
            timer = self._scope.loop.call_later(within, self._answer.fail, too_slow)
        try:
            return await self._answer
        except BaseException:
            self._lose(1006)
            self._scope.loop.call_later(_CLOSING, running.cancel)
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """The application has returned, or failed."""
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, ClientGone):
            if not self._answer.done:
                self._answer.fail(error)
            else:
                log.error("a WebSocket of %s failed", self._scope.name, exc_info=error)
        elif not self._answer.done:
            self._answer.fail(RuntimeError(f"{self._scope.name} returned before it accepted or refused a WebSocket"))
        if self._state is _State.OPEN:
            self._close(1000 if error is None and not task.cancelled() else 1011, "")

    # ---- the application's side

    async def receive(self) -> Message:
        """The next message; after the end always that it has ended."""
        while not self._incoming:
            self._arrived.clear()
            await self._arrived.wait()
        message = self._incoming[0]
        if message["type"] == "websocket.disconnect":
            return message
        self._incoming.popleft()
        self._waiting_size -= _size(message)
        self._adjust_reading()
        return message

    async def send(self, message: Message) -> None:
        """
        Do what the application says.

        :raises ClientGone: if its client is not there any more
        :raises RuntimeError: if it is not this message's turn
        """
        kind = message["type"]
        if self._state is _State.CLOSED:
            if kind == "websocket.close":
                return
            raise ClientGone("the client is gone")
        if self._state is _State.OPEN:
            await self._send_open(kind, message)
        elif kind == "websocket.accept":
            await self._accept(message)
        elif kind == "websocket.close":
            self._refuse(Response(403, []))
        elif kind == "websocket.http.response.start" and self._refusal is None:
            self._refusal = (message["status"], [(bytes(n).lower(), bytes(v)) for n, v in message.get("headers", ())])
        elif kind == "websocket.http.response.body" and self._refusal is not None:
            self._refusal_body += bytes(message.get("body", b""))
            if not message.get("more_body", False):
                self._refuse(Response(*self._refusal, self._refusal_body))
        else:
            raise RuntimeError(f"the application may not send {kind} now")

    async def _accept(self, message: Message) -> None:
        token = base64.b64encode(hashlib.sha1(self._key + _GUID).digest())  # noqa: S324  # RFC 6455 4.2.2 has it so
        headers = [(b"upgrade", b"websocket"), (b"sec-websocket-accept", token)]
        chosen = message.get("subprotocol")
        if chosen is not None:
            if chosen not in self._offered:
                raise RuntimeError(f"the client did not offer the subprotocol {chosen!r}")
            headers.append((b"sec-websocket-protocol", chosen.encode("latin-1")))
        headers += [(bytes(name).lower(), bytes(value)) for name, value in message.get("headers") or ()]
        response = Response(101, headers, self)
        response.upgrade = self._take_over
        self._state = _State.OPEN
        self._answer.set(response)
        await self._taken
        if self._transport is None:
            raise ClientGone("the client is gone")

    def _refuse(self, response: Response) -> None:
        self._lose(1006)
        self._answer.set(response)

    async def _send_open(self, kind: str, message: Message) -> None:
        from wsproto.events import BytesMessage, TextMessage

        if kind == "websocket.close":
            self._close(message.get("code") or 1000, message.get("reason") or "")
        elif kind != "websocket.send":
            raise RuntimeError(f"the application may not send {kind} now")
        elif message.get("bytes") is not None:
            self._write(self._wire.send(BytesMessage(data=bytes(message["bytes"]))))
        else:
            self._write(self._wire.send(TextMessage(data=message["text"])))
        await self._may_write.wait()

    # ---- the connection's side

    def _take_over(self, transport: asyncio.Transport, received: bytes) -> None:
        from wsproto.connection import Connection, ConnectionType

        self._transport = transport
        self._wire = Connection(ConnectionType.SERVER)
        transport.set_protocol(self)
        self._taken.set(None)
        if self._state is _State.CLOSED:  # it was given up before this
            transport.close()
            return
        if received:
            self.data_received(received)
        self._adjust_reading()

    # ---- Body: of the 101

    def start(self, sink: Sink) -> None:
        sink.end([])

    def pause(self) -> None:
        """Nothing is pushed."""

    def resume(self) -> None:
        """Nothing is pushed."""

    def cancel(self) -> None:
        """The 101 is not sent."""
        self._lose(1006)
        self._taken.set(None)

    def detach(self) -> tuple[int, bytes] | None:
        return None

    def reattach(self, remaining: int) -> None:
        raise RuntimeError("this body cannot be detached")

    # ---- the connection's protocol

    def data_received(self, data: bytes) -> None:
        from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage
        from wsproto.utilities import LocalProtocolError, RemoteProtocolError

        try:
            self._wire.receive_data(data)
            for event in self._wire.events():
                if isinstance(event, TextMessage | BytesMessage):
                    self._take(event.data, whole=event.message_finished)
                elif isinstance(event, Ping):
                    self._write(self._wire.send(event.response()))
                elif isinstance(event, CloseConnection):
                    self._closed_by_client(event)
        except RemoteProtocolError as error:
            self._lose(1002)
            if error.event_hint is not None and self._transport is not None:
                self._write(self._wire.send(error.event_hint))
            self._end()
        except LocalProtocolError:  # something came behind the close
            self._end()

    def _take(self, data: Any, *, whole: bool) -> None:
        if self._state is not _State.OPEN:
            return
        if self._whole is None:
            self._whole = io.StringIO() if isinstance(data, str) else io.BytesIO()
        self._whole.write(data)
        self._whole_size += len(data)
        if self._whole_size > LARGEST_MESSAGE:
            self._whole = None
            self._close(1009, "the message is too large")
            return
        if not whole:
            return
        content = self._whole.getvalue()
        self._whole, self._whole_size = None, 0
        kind = "text" if isinstance(content, str) else "bytes"
        self._arrive({"type": "websocket.receive", "text": None, "bytes": None, kind: content})

    def _arrive(self, message: Message) -> None:
        self._incoming.append(message)
        self._waiting_size += _size(message)
        self._arrived.set()
        self._adjust_reading()

    def _adjust_reading(self) -> None:
        """
        Read while there is room for messages, and for what must be answered: a client that takes no answers may not ask.

        When it has ended, only the client's close is of interest.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        has_room = self._waiting_size <= _MOST_WAITING or self._state is _State.CLOSED
        if has_room and self._may_answer:
            transport.resume_reading()
        else:
            transport.pause_reading()

    def _closed_by_client(self, event: Any) -> None:
        if self._state is _State.OPEN:
            self._write(self._wire.send(event.response()))
        self._lose(event.code, event.reason)
        self._end()

    def _close(self, code: int, reason: str) -> None:
        """Say that it ends; the client answers, or is cut off."""
        from wsproto.events import CloseConnection

        if self.is_open:
            self._write(self._wire.send(CloseConnection(code=code, reason=reason or None)))
            self._set_deadline()
        self._lose(code)
        self._adjust_reading()

    def _lose(self, code: int, reason: str | None = None) -> None:
        """The application hears that it has ended, behind what has arrived."""
        if self._state is not _State.CLOSED:
            self._state = _State.CLOSED
            self._incoming.append({"type": "websocket.disconnect", "code": code, "reason": reason or ""})
            self._arrived.set()
            self._may_write.set()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _end(self) -> None:
        """Close the connection behind what was sent."""
        if self._transport is not None:
            self._set_deadline()
            self._transport.close()

    def _set_deadline(self) -> None:
        if self._deadline is None and self._transport is not None:
            self._deadline = self._scope.loop.call_later(_CLOSING, self._transport.abort)

    def pause_writing(self) -> None:
        self._may_answer = False
        if self._state is _State.OPEN:
            self._may_write.clear()
        self._adjust_reading()

    def resume_writing(self) -> None:
        self._may_answer = True
        self._may_write.set()
        self._adjust_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._lose(1006)


def _size(message: Message) -> int:
    return _OVERHEAD + len(message.get("text") or message.get("bytes") or b"")
