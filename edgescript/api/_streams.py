"""Between bodies, which push their bytes (`http/body.py`), and Python's iteration, which pulls them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from edgescript.http.body import Body, BodyBroken, Sink
from edgescript.http.headers import Headers
from edgescript.http.pending import Pending

if TYPE_CHECKING:
    from edgescript.api._scope import Scope

log = logging.getLogger("edgescript.handlers")

#: Bytes that wait for whoever reads a body.
_MOST_WAITING = 64 * 1024


class Reader:
    """A sink whose bytes are taken by a coroutine; the body pauses while too many wait."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._pieces: list[bytes] = []
        self._size = 0
        self._paused = False
        self._started = False
        self._ended = False
        self._error: Exception | None = None
        self._waiting: Pending[None] | None = None

    async def read(self) -> bytes:
        """
        The bytes that are there, or that come next; empty at the end.

        :raises BodyBroken: if the body broke off
        :raises HTTPError: 413, if it is longer than it may be; 400, if it is malformed; 408, if it comes too slowly
        """
        if not self._started:
            self._started = True
            self._body.start(self)
        while not self._pieces and not self._ended:
            self._waiting = Pending()
            await self._waiting
        if not self._pieces:
            if self._error is not None:
                raise self._error
            return b""
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        if self._paused and not self._ended:
            self._paused = False
            self._body.resume()
        return data

    def close(self) -> None:
        """Nothing more is wanted."""
        if not self._ended:
            self._ended = True
            self._body.cancel()

    # ---- Sink

    def write(self, data: bytes) -> None:
        self._pieces.append(data)
        self._size += len(data)
        if self._size > _MOST_WAITING and not self._paused:
            self._paused = True
            self._body.pause()
        self._wake()

    def end(self, trailers: Headers) -> None:
        self._ended = True
        self._wake()

    def fail(self, error: Exception) -> None:
        self._error = error
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.set(None)


class Pushed:
    """
    A body whose bytes a coroutine pushes. `push` waits while its taker cannot keep up.

    :param gone: called once, when the taker wants no more
    """

    def __init__(self, *, length: int | None = None, gone: Callable[[], object] | None = None) -> None:
        self.length = length
        self.gone = gone
        self._sink: Sink | None = None
        #: What is waited for before more may be pushed: the sink's start, or its `resume`.
        self._ready: Pending[None] | None = Pending()
        self.cancelled = False

    async def push(self, data: bytes) -> None:
        """
        Hand the next bytes on.

        :raises BodyBroken: if nobody takes them any more
        """
        await self._may_push()
        if data:
            assert self._sink is not None, "it is ready"
            self._sink.write(data)
            await self._may_push()  # so that whoever pushes is held back at once, and not one piece later

    async def finish(self) -> None:
        """
        The body is whole.

        :raises BodyBroken: if nobody takes it any more
        """
        await self._may_push()
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.end([])

    def break_off(self, error: Exception) -> None:
        """The body cannot be completed."""
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.fail(error)
        else:
            self._error = error

    _error: Exception | None = None

    async def _may_push(self) -> None:
        while self._ready is not None and not self.cancelled:
            await self._ready
        if self.cancelled:
            raise BodyBroken("the client is gone")

    # ---- Body

    def start(self, sink: Sink) -> None:
        if self._error is not None:
            sink.fail(self._error)
            return
        self._sink = sink
        self.resume()

    def pause(self) -> None:
        if self._ready is None:
            self._ready = Pending()

    def resume(self) -> None:
        ready, self._ready = self._ready, None
        if ready is not None:
            ready.set(None)

    def cancel(self) -> None:
        if self.cancelled:
            return
        self.cancelled = True
        self._sink = None
        self.resume()
        if self.gone is not None:
            self.gone()

    def detach(self) -> tuple[int, bytes] | None:
        return None  # there is no socket behind it

    def reattach(self, remaining: int) -> None:
        raise RuntimeError("this body cannot be detached")


class Iterated(Pushed):
    """
    A body whose bytes an iterator gives. It is asked for the next piece when the last one has found room.

    :param scope: where it runs, and what its task is known to
    """

    def __init__(self, pieces: AsyncIterable[Any] | Iterable[Any], scope: Scope, length: int | None) -> None:
        super().__init__(length=length, gone=self._stop)
        self._pieces = pieces
        self._scope = scope
        self._task: asyncio.Task[None] | None = None
        #: Nobody wants more of it.
        self._is_over = False

    @property
    def is_fresh(self) -> bool:
        """Whether nobody has asked for it yet: most iterators can be gone through once."""
        return self._task is None and not self.cancelled

    def start(self, sink: Sink) -> None:
        super().start(sink)
        self._task = self._scope.run(self._pump())

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        else:
            self._scope.run(self._close())

    async def _pump(self) -> None:
        try:
            async for piece in self._every():
                await self.push(_bytes(piece))
            await self.finish()
        except asyncio.CancelledError:
            self.break_off(BodyBroken("the server stops"))
            raise
        except BodyBroken as error:
            self.break_off(error)
        except Exception as error:
            log.error("the body of a response broke off, in %s", self._scope.name, exc_info=error)
            self.break_off(error)
        finally:
            await self._close()

    async def _every(self) -> AsyncIterator[Any]:
        if isinstance(self._pieces, AsyncIterable):
            async for piece in self._pieces:
                yield piece
            return
        iterator = iter(self._pieces)
        while (piece := await self._scope.threads.run(self._next, iterator)) is not _END:
            yield piece

    def _next(self, iterator: Iterator[Any]) -> Any:
        """In a thread."""
        try:
            return next(iterator, _END)
        finally:
            if self._is_over and (close := getattr(iterator, "close", None)) is not None:
                close()

    async def _close(self) -> None:
        """Have a generator's `finally` run."""
        pieces = self._pieces
        self._is_over = True
        try:
            if isinstance(pieces, AsyncIterable):
                close = getattr(pieces, "aclose", None)
                if close is not None:
                    await close()
            elif getattr(pieces, "gi_running", False):
                pass  # the thread that is in it still closes it
            elif (close := getattr(pieces, "close", None)) is not None:
                await self._scope.threads.run(close)
        except Exception as error:
            log.error("the body of a response could not be closed, in %s", self._scope.name, exc_info=error)


_END = object()


def _bytes(piece: Any) -> bytes:
    if isinstance(piece, str):
        return piece.encode()
    if isinstance(piece, bytes | bytearray | memoryview):
        return bytes(piece)
    raise TypeError(f"a piece of a body is bytes or text, and not {type(piece).__name__}")
