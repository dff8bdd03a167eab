"""How bodies stream and stop.

A body whose bytes are all there is plain `bytes`. Any other is a `Body`: it *pushes* its bytes into a `Sink`, because that
is what a socket does; the sink pauses it when it cannot keep up. Contract of the two, which every engine and every
upstream keeps:

- nothing is pushed before `start`; after `end` or `fail` nothing more is pushed; exactly one of the two comes, unless the
  sink called `cancel`, after which nothing comes;
- `write` is never called while the body is paused, but for bytes that had been received before `pause`;
- `end` means that the message was whole. A body that broke off calls `fail`, and whoever sends it on must break off too.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Protocol

from edgescript.http.headers import Headers
from edgescript.http.pending import Pending


class BodyTooLarge(Exception):
    """A body is longer than the reader's limit."""


class BodyBroken(Exception):
    """A body broke off before its end."""


class Sink(Protocol):
    """Where a body's bytes go. Methods are called from the event loop and return at once."""

    def write(self, data: bytes) -> None:
        """Take the next bytes; call the body's `pause` when there are too many."""

    def end(self, trailers: Headers) -> None:
        """The body is complete; `trailers` is empty for most."""

    def fail(self, error: Exception) -> None:
        """The body broke off."""


class Body(Protocol):
    """A stream of bytes that is pushed into a sink."""

    @property
    def length(self) -> int | None:
        """Bytes that remain to be pushed, where that is known before `start`."""

    def start(self, sink: Sink) -> None:
        """Begin to push into `sink`. May push, and even end, before it returns."""

    def pause(self) -> None:
        """Stop pushing soon: the sink is full."""

    def resume(self) -> None:
        """Push again."""

    def cancel(self) -> None:
        """The sink wants no more; the body frees what it holds."""

    def detach(self) -> tuple[int, bytes] | None:
        """
        Hand the rest of the body over as a plain socket, instead of `start`, for splicing; None where that cannot be.

        Gives the socket's descriptor and the bytes of the body that had been received already. The taker reads exactly
        `length` less those bytes from the descriptor, then calls `reattach`. Until then it owns the reading side.
        """

    def reattach(self, remaining: int) -> None:
        """The taker of `detach` is done; `remaining` bytes were not read. With 0 the socket may be used again."""


@dataclass(frozen=True, slots=True)
class FileRange:
    """A part of an open file, to be sent with sendfile where the connection allows it. The engine closes `descriptor`."""

    descriptor: int
    offset: int
    length: int


def discard(body: bytes | FileRange | Body) -> None:
    """Free what a body holds that will not be sent."""
    if isinstance(body, FileRange):
        os.close(body.descriptor)
    elif not isinstance(body, bytes):
        body.cancel()


class _Collector:
    __slots__ = ("body", "chunks", "left", "pending")

    def __init__(self, body: Body, limit: int) -> None:
        self.body = body
        self.left = limit
        self.chunks: list[bytes] = []
        self.pending: Pending[bytes] = Pending()

    def write(self, data: bytes) -> None:
        self.left -= len(data)
        if self.left < 0:
            self.body.cancel()
            self.chunks.clear()
            self.pending.fail(BodyTooLarge())
        else:
            self.chunks.append(data)

    def end(self, trailers: Headers) -> None:
        self.pending.set(b"".join(self.chunks))

    def fail(self, error: Exception) -> None:
        self.pending.fail(error)


async def collect(body: bytes | Body, limit: int) -> bytes:
    """
    The whole body as bytes.

    :param limit: how many bytes it may have
    :raises BodyTooLarge: if it has more; the body is cancelled then
    :raises BodyBroken: if it broke off
    """
    if isinstance(body, bytes):
        if len(body) > limit:
            raise BodyTooLarge
        return body
    if body.length is not None and body.length > limit:
        body.cancel()
        raise BodyTooLarge
    collector = _Collector(body, limit)
    body.start(collector)
    return await collector.pending
