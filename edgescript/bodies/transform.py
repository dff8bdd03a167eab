"""Bodies whose bytes are changed on their way: compressed, decompressed, searched.

A `Transformer` is the rule, bytes in and bytes out; `transform` puts it around a body. A short body is changed at once. A
longer one is a stream that works in turns of the event loop, so that one large body holds up nobody else's, and that passes
the sink's pauses on to the body inside.

Transformers hold bytes back. What came before a pause of the source must not wait for what comes behind it (server-sent
events, long polls), and a flush for each piece would cost a third of the compression. So there is no timer: when the event
loop has looked for more input and there was none, what is there is flushed. At full speed that never happens.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from edgescript.bodies.fields import without_digests
from edgescript.http.body import Body, BodyBroken, FileRange, Sink
from edgescript.http.headers import Headers

if TYPE_CHECKING:
    import asyncio

#: Bytes that a transformer is given at a time, and about what it may give back in one step. The slowest one that is offered
#: takes 5 ms for so many (gzip at level 9); those of the default levels take 0.3 to 1.2 ms.
STEP = 64 * 1024
#: Bytes taken and given in one turn of the loop.
TURN = 2 * STEP
#: What a step counts for at least: it is work even where nothing comes of it.
_LEAST = 512
#: Bodies up to this size are changed at once, in 0.3 to 1.6 ms at the default levels.
AT_ONCE = 2 * STEP
#: Bytes that wait for their turn before the source is paused.
MOST_WAITING = 2 * STEP
#: Turns of the loop without input after which a source is held to pause. One is not enough: what was put off to the next turn
#: runs before that looks at the sockets.
_QUIET = 2


def _running_loop() -> asyncio.AbstractEventLoop:
    """Reading an Edgefile does without asyncio, which takes a fifth of that time."""
    import asyncio

    return asyncio.get_running_loop()


class Transformer(Protocol):
    """Bytes in, bytes out. Any of the three raises what makes the body break off."""

    def feed(self, data: bytes) -> Iterable[bytes]:
        """
        Take up to STEP bytes, and give what comes out, which may be nothing yet.

        It is worked out while it is iterated over: each piece, which has about STEP bytes at most, is one step of work.
        """

    def flush(self) -> bytes:
        """What the receiver can use of the bytes so far, without those to come."""

    def finish(self) -> bytes:
        """What is left, after the last bytes."""


class Chain:
    """Transformers one behind the other."""

    __slots__ = ("_stages",)

    def __init__(self, stages: Sequence[Transformer]) -> None:
        self._stages = stages

    def feed(self, data: bytes) -> Iterator[bytes]:
        return self._through(data, 0)

    def flush(self) -> bytes:
        return self._drain(lambda stage: stage.flush())

    def finish(self) -> bytes:
        return self._drain(lambda stage: stage.finish())

    def _through(self, data: bytes, first: int) -> Iterator[bytes]:
        if first == len(self._stages):
            yield data
            return
        for piece in self._stages[first].feed(data):
            if piece:
                yield from self._through(piece, first + 1)
            else:
                yield b""  # a step all the same

    def _drain(self, last: Callable[[Transformer], bytes]) -> bytes:
        data = b""
        for stage in self._stages:
            data = b"".join([*(stage.feed(data) if data else ()), last(stage)])
        return data


def transform(
    body: bytes | FileRange | Body, make: Callable[[], Transformer], *, at_once: bool = True, prompt: bool = False
) -> bytes | Body:
    """
    A body as a transformer makes it: bytes where it is short, a stream otherwise.

    :param make: makes the transformer, when it is needed
    :param at_once: change a short body at once; not for transformers whose output may be much longer than their input
    :param prompt: flush for each piece, for a source whose every piece is a message of its own
    """
    short = _short(body) if at_once else None
    if short is None:
        return Transformed(body, make, prompt=prompt)
    changed = _whole(short, make())
    if isinstance(body, FileRange):  # not before: where the work fails, whoever gave the body still has all of it
        os.close(body.descriptor)
    return changed


def _short(body: bytes | FileRange | Body) -> bytes | None:
    """All of a short body, or None."""
    if isinstance(body, bytes):
        return body if len(body) <= AT_ONCE else None
    if not isinstance(body, FileRange) or body.length > AT_ONCE:
        return None
    try:
        data = os.pread(body.descriptor, body.length, body.offset)
    except OSError:
        return None  # the stream will fail, and say why
    return data if len(data) == body.length else None


def _whole(data: bytes, transformer: Transformer) -> bytes:
    slices = [data[start : start + STEP] for start in range(0, len(data), STEP)]
    pieces = [piece for one in slices for piece in transformer.feed(one)]
    pieces.append(transformer.finish())
    return b"".join(pieces)


class Transformed:
    """A body as a transformer makes it: the `Sink` of the body inside, and a `Body` to whoever sends it."""

    __slots__ = (
        "_body",
        "_busy",
        "_held",
        "_loop",
        "_make",
        "_paused",
        "_prompt",
        "_quiet",
        "_scheduled",
        "_sink",
        "_steps",
        "_trailers",
        "_transformer",
        "_unflushed",
        "_waiting",
        "_waiting_size",
        "_watching",
    )

    #: Not known before all of it has been through.
    length: int | None = None

    def __init__(
        self, body: bytes | FileRange | Body, make: Callable[[], Transformer], *, prompt: bool = False
    ) -> None:
        self._body: Body = Pieces(body) if isinstance(body, bytes | FileRange) else body
        self._make = make
        self._prompt = prompt
        self._sink: Sink | None = None
        #: The source's bytes that have not been fed yet, and the work on those that have.
        self._waiting: deque[bytes] = deque()
        self._waiting_size = 0
        self._steps: Iterator[bytes] | None = None
        #: Set when the source has ended.
        self._trailers: Headers | None = None
        #: Our sink is full; the source is held back; there is work in this very stack; there will be in the next turn.
        self._paused = self._held = self._busy = self._scheduled = False
        #: Bytes were fed since the last flush; the loop is watched for a pause of the source, quiet for so many turns.
        self._unflushed = self._watching = False
        self._quiet = 0

    # ---- the body, to its sink

    def start(self, sink: Sink) -> None:
        self._sink = sink
        self._loop = _running_loop()
        self._transformer: Transformer = self._make()
        self._body.start(self)

    def pause(self) -> None:
        self._paused = True
        self._hold()

    def resume(self) -> None:
        self._paused = False
        self._advance()

    def cancel(self) -> None:
        self._stop()
        self._body.cancel()

    def detach(self) -> tuple[int, bytes] | None:
        return None  # its bytes are not those of any socket

    def reattach(self, remaining: int) -> None:
        raise AssertionError("a transformed body is never detached")

    # ---- the sink, to the body inside

    def write(self, data: bytes) -> None:
        if self._sink is None:
            return
        if len(data) <= STEP:
            self._waiting.append(data)
        else:
            self._waiting.extend(data[start : start + STEP] for start in range(0, len(data), STEP))
        self._waiting_size += len(data)
        self._advance()
        if self._waiting_size > MOST_WAITING:
            self._hold()

    def end(self, trailers: Headers) -> None:
        self._trailers = without_digests(trailers)
        self._advance()

    def fail(self, error: Exception) -> None:
        sink = self._stop()
        if sink is not None:
            sink.fail(error)

    # ---- the work

    def _advance(self) -> None:
        """A turn of work now, if one may be done, and the next in the loop's next turn."""
        if self._busy or self._scheduled or self._paused or self._sink is None:
            return
        self._busy = True
        try:
            done = self._turn(self._sink)
            if done:
                self._caught_up()
        except Exception as error:
            self._break(error)
            return
        finally:
            self._busy = False
        # Something may also have come from the source that was just told to go on.
        if not self._paused and self._sink is not None and not (done and self._is_idle):
            self._scheduled = True
            self._loop.call_soon(self._again)

    @property
    def _is_idle(self) -> bool:
        return not self._waiting and self._trailers is None

    def _again(self) -> None:
        self._scheduled = False
        self._advance()

    def _turn(self, sink: Sink) -> bool:
        """Transform and push what waits, as far as one turn goes; whether nothing waits any more."""
        moved = 0
        while not self._paused and self._sink is not None and moved < TURN:
            if self._steps is None:
                if not self._waiting:
                    return True
                data = self._waiting.popleft()
                self._waiting_size -= len(data)
                self._unflushed, self._quiet = True, 0
                self._steps = iter(self._transformer.feed(data))
                moved += len(data)
            piece = next(self._steps, None)
            if piece is None:
                self._steps = None
                continue
            moved += max(len(piece), _LEAST)
            if piece:
                sink.write(piece)
        return False

    def _caught_up(self) -> None:
        """All that has come is through: end, or ask for more."""
        if self._trailers is not None:
            last, sink = self._transformer.finish(), self._stop()
            assert sink is not None, "there was work"
            if last:
                sink.write(last)
            sink.end(self._trailers)
            return
        if self._held:
            self._held = False
            self._body.resume()
        if self._prompt:
            self._flush()
        elif self._unflushed and not self._watching:
            self._watching = True
            self._loop.call_soon(self._look)

    def _look(self) -> None:
        """In each turn of the loop, until the source pauses."""
        self._quiet += 1
        if self._sink is None or self._paused or self._scheduled or not self._unflushed:
            self._watching = False  # there is work, which ends in `_caught_up` again
        elif self._quiet < _QUIET:
            self._loop.call_soon(self._look)
        else:
            self._watching = False
            try:
                self._flush()
            except Exception as error:
                self._break(error)

    def _flush(self) -> None:
        if self._unflushed and self._sink is not None:
            self._unflushed = False
            data = self._transformer.flush()
            if data:
                self._sink.write(data)

    def _hold(self) -> None:
        if not self._held and self._trailers is None and self._sink is not None:
            self._held = True
            self._body.pause()

    def _break(self, error: Exception) -> None:
        sink = self._stop()
        self._body.cancel()
        if sink is not None:
            sink.fail(error)

    def _stop(self) -> Sink | None:
        """Nothing is pushed any more; gives the sink that it would have gone to."""
        sink, self._sink = self._sink, None
        self._waiting.clear()
        self._steps = None
        # A body and its sink hold each other, and an encoder holds a megabyte: it is not left to the garbage collector.
        self._transformer = _SPENT
        return sink


#: Stands for the transformer of a body that is over.
_SPENT: Transformer = Chain(())


class Pieces:
    """Bytes, or a part of a file, as a stream of pieces, one in each turn of the loop. It closes the file."""

    __slots__ = ("_data", "_descriptor", "_end", "_loop", "_paused", "_position", "_scheduled", "_sink", "length")

    def __init__(self, body: bytes | FileRange) -> None:
        if isinstance(body, bytes):
            self._data, self._descriptor = body, -1
            self._position, self._end = 0, len(body)
        else:
            self._data, self._descriptor = b"", body.descriptor
            self._position, self._end = body.offset, body.offset + body.length
        self.length: int | None = self._end - self._position
        self._sink: Sink | None = None
        self._paused = self._scheduled = False

    def start(self, sink: Sink) -> None:
        self._sink = sink
        self._loop = _running_loop()
        self._push()

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        self._soon()

    def cancel(self) -> None:
        self._sink, self._data = None, b""
        self._close()

    def detach(self) -> tuple[int, bytes] | None:
        return None

    def reattach(self, remaining: int) -> None:
        raise AssertionError("pieces are never detached")

    def _soon(self) -> None:
        if not self._scheduled and not self._paused and self._sink is not None:
            self._scheduled = True
            self._loop.call_soon(self._push)

    def _push(self) -> None:
        self._scheduled = False
        sink = self._sink
        if sink is None or self._paused:
            return
        try:
            data = self._next()
        except (OSError, BodyBroken) as error:
            self.cancel()
            sink.fail(BodyBroken(f"the file cannot be read: {error}") if isinstance(error, OSError) else error)
            return
        if data:
            sink.write(data)
        if self._position < self._end:
            self._soon()
        elif self._sink is not None:
            self.cancel()
            sink.end([])

    def _next(self) -> bytes:
        size = min(STEP, self._end - self._position)
        if self._descriptor < 0:
            data = self._data[self._position : self._position + size]
        else:
            data = os.pread(self._descriptor, size, self._position)
            if not data and size:
                raise BodyBroken("the file is shorter than it was")
        self._position += len(data)
        return data

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
