"""What answers in place of the upstreams of an Edgefile, in memory, and remembers what it was sent.

It speaks HTTP/1.1, so that a request passes through everything that it would pass through on its way to a real upstream.
"""

from __future__ import annotations

import asyncio
import errno
import inspect
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from edgescript.declare import values
from edgescript.declare.kinds import KindError
from edgescript.http.chunked import BadChunk, Decoder
from edgescript.http.fields import parse_fields
from edgescript.server import head
from edgescript.server.head import CHUNKED, REQUEST_LINE, Framing, Refusal
from edgescript.testing.scenario import FIELD_NAME, FIELD_VALUE
from edgescript.testing.wire import connect
from edgescript.upstream.endpoint import PORTS

P = TypeVar("P", bound=asyncio.BaseProtocol)

#: Bytes of head that a stand-in reads.
_MOST_HEAD = 1024 * 1024
#: With one of these a reply says itself how long its body is.
_FRAMING = frozenset({"content-length", "transfer-encoding"})
#: The address of what stands in for every upstream that has no stand-in of its own.
ANY = "*"


@dataclass(slots=True)
class Received:
    """One request as it arrived at a stand-in."""

    method: str = ""
    #: Path and query.
    uri: str = ""
    #: In the order in which they came, names as they were sent.
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    #: The address of the stand-in that it came to: `10.0.0.1:8080`, or `*`.
    upstream: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a stand-in answers."""

    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    #: Text is sent as UTF-8.
    body: str | bytes = b""
    #: Seconds until it answers.
    delay: float = 0.0
    #: It refuses connections.
    fails: bool = False


#: An answer, or what makes one of a request.
Answerer = Reply | Callable[[Received], "Reply | Awaitable[Reply]"]


class StandIns:
    """The stand-ins of one test: answers in turn for each address, of which the last is given again and again."""

    def __init__(self) -> None:
        self._replies: dict[str, list[Answerer]] = {}
        #: What they were sent, the last request last.
        self.received: list[Received] = []
        #: What functions that answer have raised.
        self.errors: list[Exception] = []

    def add(self, address: str, reply: Answerer) -> None:
        """Have an address answer, after what it was given before."""
        self._replies.setdefault(key_of(address), []).append(reply)

    async def dial(self, address: str, factory: Callable[[], P]) -> P:
        """
        A connection to what stands in for an upstream; it never goes to the real one.

        :raises OSError: if nothing does, or it fails
        """
        key = key_of(address)
        if key not in self._replies:
            key = ANY
        if key not in self._replies:
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"the test has no stand-in for the upstream {address}")
        reply = self._replies[key][0]
        if isinstance(reply, Reply) and reply.fails:
            self.take(key)
            await asyncio.sleep(reply.delay)
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"the stand-in for {address} fails")
        protocol = factory()
        assert isinstance(protocol, asyncio.Protocol), "a connection to an upstream is a stream"
        connect(protocol, _Answering(self, key))
        return protocol

    def fails(self, key: str) -> bool:
        """Whether whoever comes next is refused."""
        reply = self._replies[key][0]
        return isinstance(reply, Reply) and reply.fails

    def take(self, key: str) -> Answerer:
        """The next answer."""
        replies = self._replies[key]
        return replies.pop(0) if len(replies) > 1 else replies[0]

    async def reply(self, key: str, request: Received) -> Reply:
        """
        What a request is answered, when it is time to.

        :raises Exception: whatever a function raises that answers
        """
        answerer = self.take(key)
        if not isinstance(answerer, Reply):
            made = answerer(request)
            answerer = await made if inspect.isawaitable(made) else made
            if not isinstance(answerer, Reply):
                raise TypeError(f"what answers for an upstream gives a Reply, and not {answerer!r}")
        await asyncio.sleep(answerer.delay)
        return answerer


def bare_address(address: str) -> str:
    """An upstream's address without scheme, in small letters: `127.0.0.1:8080`; a port that is implied is put in."""
    try:
        parsed = values.address(address.rstrip("/"))
    except KindError:
        return address
    if parsed.is_unix:
        return values.show_address(parsed)
    host = f"[{parsed.host}]" if ":" in parsed.host else parsed.host.lower()
    return f"{host}:{parsed.port or PORTS.get(parsed.scheme, 80)}"


def key_of(address: str) -> str:
    """What tells stand-ins apart: the bare address, or `*`."""
    return address if address == ANY else bare_address(address)


class _Answering(asyncio.Protocol):
    """One connection to a stand-in: reads requests, and has each answered."""

    def __init__(self, stand_ins: StandIns, key: str) -> None:
        self._stand_ins = stand_ins
        self._key = key
        self._answers: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._reading = self._requests()
        next(self._reading)

    def connection_lost(self, error: Exception | None) -> None:
        for task in self._answers:
            task.cancel()

    def data_received(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        try:
            self._reading.send(data)
        except (Refusal, BadChunk, ValueError):
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self._transport.close()

    def _requests(self) -> Generator[None, bytes, None]:
        """Takes request after request out of what is sent in."""
        data = b""
        while True:
            while (end := data.find(b"\r\n\r\n")) < 0:
                if len(data) > _MOST_HEAD:
                    raise Refusal(431, "the request's head is too large")
                data += yield
            request, framing = _read_head(data[:end])
            if framing.expects_continue:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.body, data = yield from _body(framing.length, data[end + 4 :])
            self._take(request)

    def _take(self, request: Received) -> None:
        if self._stand_ins.fails(self._key):
            self._transport.abort()  # the next connection is refused
            return
        request.upstream = self._key
        self._stand_ins.received.append(request)
        task = asyncio.get_running_loop().create_task(self._answer(request))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, request: Received) -> None:
        try:
            reply = await self._stand_ins.reply(self._key, request)
            self._transport.write(_answer(reply, request.method))
        except Exception as error:  # whatever a function raises that answers: the test fails with it
            self._stand_ins.errors.append(error)
            self._transport.abort()


def _read_head(data: bytes) -> tuple[Received, Framing]:
    line = REQUEST_LINE.match(data + b"\r\n")
    if line is None:
        raise Refusal(400, "the request line is malformed")
    method, uri, minor = line.groups()
    fields = parse_fields(data[line.end() :])
    headers = [(shown(name), shown(value)) for name, value in fields]
    return Received(shown(method), shown(uri), headers), head.framing(fields, minor)


def shown(data: bytes) -> str:
    """Bytes of a head as text, so that encoding it again gives the same bytes."""
    return data.decode("utf-8", "surrogateescape")


def _body(length: int, data: bytes) -> Generator[None, bytes, tuple[bytes, bytes]]:
    """A body that begins with `data`, and what came behind it."""
    if length == CHUNKED:
        decoder = Decoder()
        pieces = decoder.feed(data)
        while not decoder.done:
            pieces += decoder.feed((yield))
        return b"".join(pieces), decoder.rest
    while len(data) < length:
        data += yield
    return data[:length], data[length:]


def sound_field(pair: tuple[str, str]) -> tuple[str, str]:
    """
    The pair.

    :raises ValueError: if it is no header field
    """
    name, value = pair
    if not FIELD_NAME.fullmatch(name) or not FIELD_VALUE.fullmatch(value):
        raise ValueError(f"{name!r}: {value!r} is no header field")
    return pair


def _answer(reply: Reply, method: str) -> bytes:
    body = reply.body.encode("utf-8", "surrogateescape") if isinstance(reply.body, str) else reply.body
    bodiless = reply.status in (204, 304)
    lines = [f"HTTP/1.1 {reply.status} Stand-In"]
    lines += [f"{name}: {value}" for name, value in map(sound_field, reply.headers)]
    if not bodiless and _FRAMING.isdisjoint(name.lower() for name, _ in reply.headers):
        lines.append(f"content-length: {len(body)}")
    answer = ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")
    return answer if bodiless or method == "HEAD" else answer + body
