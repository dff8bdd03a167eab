"""The contract of bodies holds around a transformer: order, backpressure, flushes at pauses, ends, failures, cancellation."""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgescript.bodies.codings import CODINGS
from edgescript.bodies.substitute import TextSubstitution
from edgescript.bodies.transform import AT_ONCE, MOST_WAITING, STEP, Chain, Transformed, Transformer, transform
from edgescript.http.body import BodyBroken, FileRange
from edgescript.http.headers import Headers


class Upper:
    """Gives upper-case letters, in pieces of a byte for `-`, and keeps the last byte until it is flushed."""

    def __init__(self) -> None:
        self.held = b""

    def feed(self, data: bytes) -> Iterable[bytes]:
        data = self.held + data
        self.held = data[-1:]
        yield from (data[:-1].upper(),) if b"-" not in data else (bytes([one]).upper() for one in data[:-1])

    def flush(self) -> bytes:
        held, self.held = self.held.upper(), b""
        return held

    def finish(self) -> bytes:
        return self.flush() + b"."


class Source:
    """A body that pushes when the test says so."""

    length: int | None = None

    def __init__(self) -> None:
        self.sink: Any = None
        self.calls: list[str] = []

    def start(self, sink: Any) -> None:
        self.sink = sink

    def pause(self) -> None:
        self.calls.append("pause")

    def resume(self) -> None:
        self.calls.append("resume")

    def cancel(self) -> None:
        self.calls.append("cancel")

    def detach(self) -> None:
        raise AssertionError("it is never asked for its socket")

    def reattach(self, remaining: int) -> None:
        raise AssertionError


class Sink:
    """Remembers what comes; pauses the body after every `patience` bytes, where that is set, until it is told to go on."""

    def __init__(self, body: Any, patience: int | None = None) -> None:
        self.body = body
        self.patience = patience
        self.pieces: list[bytes] = []
        self.paused = False
        self.trailers: Headers | None = None
        self.error: Exception | None = None
        self.over = asyncio.Event()

    @property
    def data(self) -> bytes:
        return b"".join(self.pieces)

    def write(self, data: bytes) -> None:
        assert not self.paused, "nothing is pushed while the body is paused"
        assert self.trailers is None
        assert self.error is None
        assert data
        self.pieces.append(data)
        if self.patience is not None and len(data) >= self.patience:
            self.paused = True
            self.body.pause()

    def go_on(self) -> None:
        self.paused = False
        self.body.resume()

    def end(self, trailers: Headers) -> None:
        assert self.trailers is None
        assert self.error is None
        self.trailers = trailers
        self.over.set()

    def fail(self, error: Exception) -> None:
        assert self.trailers is None
        assert self.error is None
        self.error = error
        self.over.set()


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 30))


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def started(make: Callable[[], Transformer] = Upper, **more: Any) -> tuple[Source, Transformed, Sink]:
    source = Source()
    body = Transformed(source, make, **more)
    sink = Sink(body)
    body.start(sink)
    return source, body, sink


def test_what_waits_in_the_transformer_is_sent_when_the_source_pauses_and_not_before() -> None:
    async def check() -> None:
        source, _, sink = started()
        for _ in range(20):  # a piece in each turn of the loop: full speed
            source.sink.write(b"ab")
            await turns(1)
        assert sink.data == b"AB" * 19 + b"A"
        await turns()
        assert sink.data == b"AB" * 20
        source.sink.write(b"c")
        await turns()
        assert sink.data == b"AB" * 20 + b"C"
        source.sink.end([(b"x", b"y"), (b"content-digest", b"z")])
        assert sink.data == b"AB" * 20 + b"C."
        assert sink.trailers == [(b"x", b"y")]

    run(check)


def test_a_prompt_body_flushes_each_piece_at_once() -> None:
    async def check() -> None:
        source, _, sink = started(prompt=True)
        for event in (b"one", b"two"):
            source.sink.write(event)
            assert sink.data.endswith(event.upper())

    run(check)


def test_no_flush_is_written_while_the_sink_is_full() -> None:
    async def check() -> None:
        source, body, sink = started()
        source.sink.write(b"ab")
        sink.paused = True
        body.pause()
        await turns()
        assert sink.data == b"A"
        sink.go_on()
        await turns()
        assert sink.data == b"AB"

    run(check)


def test_a_full_sink_pauses_the_source_and_little_is_kept() -> None:
    async def check() -> None:
        source, body, sink = started()
        sink.paused = True
        body.pause()
        assert source.calls == ["pause"]
        source.sink.write(b"already on its way")
        assert sink.pieces == []
        sink.go_on()
        await turns()
        assert sink.data == b"ALREADY ON ITS WAY"
        assert source.calls == ["pause", "resume"]

    run(check)


def test_a_source_that_is_too_quick_is_paused_until_its_bytes_are_through() -> None:
    async def check() -> None:
        source, _, sink = started()
        source.sink.write(b"a" * (MOST_WAITING + 4 * STEP))
        assert source.calls == ["pause"]
        assert len(sink.data) < MOST_WAITING + 4 * STEP
        while source.calls == ["pause"]:
            await turns(1)
        source.sink.end([])
        await sink.over.wait()
        assert sink.data == b"A" * (MOST_WAITING + 4 * STEP) + b"."

    run(check)


def test_a_sink_may_pause_after_each_byte() -> None:
    async def check() -> None:
        source, _, sink = started()
        sink.patience = 1
        source.sink.write(b"a-bcd")
        source.sink.end([])
        for count in range(1, 5):
            assert len(sink.pieces) == count
            sink.go_on()
        assert sink.data == b"A-BCD."
        assert sink.over.is_set()

    run(check)


def test_a_transformer_that_fails_breaks_the_body_off_and_cancels_the_source() -> None:
    class Failing(Upper):
        def feed(self, data: bytes) -> Iterable[bytes]:
            yield b"some"
            raise BodyBroken("malformed")

    async def check() -> None:
        source, _, sink = started(Failing)
        source.sink.write(b"a")
        assert isinstance(sink.error, BodyBroken)
        assert sink.data == b"some"
        assert source.calls == ["cancel"]
        source.sink.write(b"more")
        source.sink.fail(BodyBroken("late"))
        await turns()
        assert sink.data == b"some"

    run(check)


def test_a_source_that_breaks_off_breaks_the_body_off() -> None:
    async def check() -> None:
        source, _, sink = started()
        source.sink.write(b"ab")
        source.sink.fail(BodyBroken("gone"))
        assert str(sink.error) == "gone"
        await turns()
        assert sink.data == b"A"

    run(check)


@pytest.mark.parametrize("how", ["end", "fail", "cancel"])
def test_a_body_that_is_over_holds_no_transformer(how: str) -> None:
    """An encoder has a megabyte, which must not wait for the garbage collector."""

    async def check() -> None:
        transformer = Upper()
        known = weakref.ref(transformer)
        source, body, _ = started([transformer].pop)
        del transformer
        source.sink.write(b"ab")
        match how:
            case "end":
                source.sink.end([])
            case "fail":
                source.sink.fail(BodyBroken("gone"))
            case "cancel":
                body.cancel()
        assert known() is None

    run(check)


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_body_that_is_cancelled_says_nothing_more(after: int) -> None:
    async def check() -> None:
        source, body, sink = started()
        source.sink.write(b"a" * (4 * STEP))
        await turns(after)
        body.cancel()
        count = len(sink.pieces)
        assert source.calls[-1] == "cancel"
        source.sink.write(b"more")
        await turns()
        assert len(sink.pieces) == count
        assert sink.trailers is sink.error is None

    run(check)


def test_a_body_may_be_cancelled_before_it_was_started(tmp_path: Path, no_leaks: None) -> None:
    (tmp_path / "file").write_bytes(bytes(10))
    descriptor = os.open(tmp_path / "file", os.O_RDONLY)
    Transformed(FileRange(descriptor, 0, 10), Upper).cancel()
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(descriptor)


async def drained(body: Any, patience: int | None = None) -> bytes:
    sink = Sink(body, patience)
    body.start(sink)
    while not sink.over.is_set():
        if sink.paused:
            sink.go_on()
        await turns(1)
    if sink.error is not None:
        raise sink.error
    return sink.data


@pytest.mark.parametrize("size", [0, 1, STEP, STEP + 1, AT_ONCE, AT_ONCE + 1, 10 * STEP + 7])
@pytest.mark.parametrize("is_file", [False, True])
@pytest.mark.parametrize("patience", [None, 1])
def test_bytes_and_files_of_every_size_come_through(
    tmp_path: Path, no_leaks: None, size: int, is_file: bool, patience: int | None
) -> None:
    data = bytes(range(97, 107)) * (size // 10 + 1)

    async def check() -> None:
        (tmp_path / "file").write_bytes(b"in front" + data)
        body: Any = data[:size]
        if is_file:
            body = FileRange(os.open(tmp_path / "file", os.O_RDONLY), 8, size)
        made = transform(body, Upper)
        assert isinstance(made, bytes) is (size <= AT_ONCE)
        whole = made if isinstance(made, bytes) else await drained(made, patience)
        assert whole == data[:size].upper() + b"."

    run(check)


def test_a_file_that_became_shorter_breaks_the_body_off(tmp_path: Path, no_leaks: None) -> None:
    async def check() -> None:
        (tmp_path / "file").write_bytes(bytes(100))
        for length in (200, 10 * STEP):
            body = transform(FileRange(os.open(tmp_path / "file", os.O_RDONLY), 0, length), Upper)
            with pytest.raises(BodyBroken, match="shorter"):
                await drained(body)

    run(check)


def test_other_work_has_its_turn_between_the_steps_of_a_long_body() -> None:
    async def check() -> None:
        body = transform(bytes(50 * STEP), lambda: CODINGS["gzip"].encoder(1))
        assert not isinstance(body, bytes)
        sink = Sink(body)
        body.start(sink)
        others = 0
        while not sink.over.is_set():
            others += 1
            await turns(1)
        assert others >= 25

    run(check)


@pytest.mark.parametrize("name", sorted(CODINGS))
@settings(max_examples=25, deadline=None)
@given(
    pieces=st.lists(st.binary(max_size=50), max_size=12),
    pauses=st.lists(st.integers(0, 3), max_size=12),
    patience=st.sampled_from([None, 1, 5]),
)
def test_coded_and_decoded_again_a_body_is_what_it_was(
    name: str, pieces: list[bytes], pauses: list[int], patience: int | None
) -> None:
    """Whatever the pieces, the pauses of the source, and those of the sink."""
    coding = CODINGS[name]

    async def check() -> None:
        source = Source()
        inner = Transformed(source, lambda: coding.encoder(coding.default))
        body = Transformed(inner, lambda: Chain([coding.decoder(), TextSubstitution(b"\0\0", b"\0")]))
        sink = Sink(body, patience)
        body.start(sink)
        for number, piece in enumerate(pieces):
            source.sink.write(piece * 30)
            for _ in range(pauses[number] if number < len(pauses) else 0):
                await turns(1)
                if sink.paused:
                    sink.go_on()
        source.sink.end([])
        while not sink.over.is_set():
            if sink.paused:
                sink.go_on()
            await turns(1)
        assert sink.error is None
        assert sink.data == b"".join(piece * 30 for piece in pieces).replace(b"\0\0", b"\0")

    run(check)


def test_a_bomb_inside_is_bounded_by_the_sink_s_patience() -> None:
    async def check() -> None:
        encoder = CODINGS["gzip"].encoder(9)
        bomb = b"".join([piece for _ in range(400) for piece in encoder.feed(bytes(STEP))] + [encoder.finish()])
        source = Source()
        body = Transformed(source, CODINGS["gzip"].decoder)
        sink = Sink(body, 1)
        body.start(sink)
        source.sink.write(bomb)
        await turns()
        assert sum(map(len, sink.pieces)) <= 2 * STEP
        body.cancel()

    run(check)


def test_a_transformer_that_fails_at_once_leaves_the_file_to_whoever_gave_it(tmp_path: Path) -> None:
    class Failing(Upper):
        def finish(self) -> bytes:
            raise BodyBroken("no end")

    (tmp_path / "file").write_bytes(bytes(10))
    descriptor = os.open(tmp_path / "file", os.O_RDONLY)
    with pytest.raises(BodyBroken):
        transform(FileRange(descriptor, 0, 10), Failing)
    os.close(descriptor)
