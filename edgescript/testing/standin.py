"""Servers on loopback ports that answer in place of the upstreams of an Edgefile, and remember what they were sent."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator
from dataclasses import dataclass, field

from edgescript.http.chunked import BadChunk, Decoder
from edgescript.http.fields import parse_fields
from edgescript.server import head
from edgescript.server.head import CHUNKED, REQUEST_LINE, Framing, Refusal
from edgescript.testing.scenario import StandIn

#: Bytes of head that a stand-in reads.
_MOST_HEAD = 1024 * 1024


@dataclass(slots=True)
class Received:
    """One request as it arrived at a stand-in."""

    method: str = ""
    uri: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


class _Answering(asyncio.Protocol):
    """One connection to a stand-in: reads requests, answers each with what the stand-in says."""

    def __init__(self, stand_in: StandIn, received: list[Received]) -> None:
        self._stand_in = stand_in
        self._received = received

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._reading = self._requests()
        next(self._reading)

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
            self._received.append(request)
            self._transport.write(_answer(self._stand_in, request.method))


def _read_head(data: bytes) -> tuple[Received, Framing]:
    line = REQUEST_LINE.match(data + b"\r\n")
    if line is None:
        raise Refusal(400, "the request line is malformed")
    method, uri, minor = line.groups()
    fields = parse_fields(data[line.end() :])
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields]
    return Received(method.decode("latin-1"), uri.decode("latin-1"), headers), head.framing(fields, minor)


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


def _answer(stand_in: StandIn, method: str) -> bytes:
    body = stand_in.body.encode()
    bodiless = stand_in.status in (204, 304)
    lines = [f"HTTP/1.1 {stand_in.status} Stand-In"]
    lines += [f"{name}: {value}" for name, value in stand_in.headers]
    if not bodiless:
        lines.append(f"content-length: {len(body)}")
    answer = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
    return answer if bodiless or method == "HEAD" else answer + body


@contextlib.asynccontextmanager
async def standing_in(stand_in: StandIn, received: list[Received]) -> AsyncIterator[tuple[str, int]]:
    """
    The loopback address where a stand-in answers, or, where it `fail`s, one that refuses connections.

    What it is sent is appended to `received`.
    """
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        address: tuple[str, int] = listening.getsockname()
        if stand_in.fails:
            yield address
            return
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Answering(stand_in, received), sock=listening)
        try:
            yield address
        finally:
            server.close()
