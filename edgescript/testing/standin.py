"""Servers on loopback ports that answer in place of the upstreams of an Edgefile, and remember what they were sent."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httptools

from edgescript.testing.scenario import StandIn


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
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._transport.close()
        except httptools.HttpParserError:
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self._transport.close()

    # ---- called by the parser

    def on_message_begin(self) -> None:
        self._request = Received()

    def on_url(self, url: bytes) -> None:
        self._request.uri += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._request.headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        if any(name.lower() == "expect" for name, _ in self._request.headers):
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, data: bytes) -> None:
        self._request.body += data

    def on_message_complete(self) -> None:
        request = self._request
        request.method = self._parser.get_method().decode("latin-1")
        self._received.append(request)
        self._transport.write(_answer(self._stand_in, request.method))


def _answer(stand_in: StandIn, method: str) -> bytes:
    body = stand_in.body.encode()
    bodiless = stand_in.status in (204, 304)
    lines = [f"HTTP/1.1 {stand_in.status} Stand-In"]
    lines += [f"{name}: {value}" for name, value in stand_in.headers]
    if not bodiless:
        lines.append(f"content-length: {len(body)}")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
    return head if bodiless or method == "HEAD" else head + body


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
