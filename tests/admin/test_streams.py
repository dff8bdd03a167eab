"""Server-sent events: who gets what, and what those cost who do not read."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from edgescript.admin.stream import EventStream, Feed, event
from edgescript.http.message import HTTPError, Response
from edgescript.tally import DURATION, REQUESTS
from tests.admin.conftest import EventReader, FakeOperator, RunningAdmin, wait_until


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten events in a second, so that nobody waits for them."""
    monkeypatch.setattr("edgescript.admin.room.TICK", 0.1)


class Reader:
    """A sink that writes down what it gets, and is full after so many pieces."""

    def __init__(self, stream: EventStream, room: int = 1000) -> None:
        self.stream = stream
        self.room = room
        self.got: list[bytes] = []
        self.ended = False

    def write(self, data: bytes) -> None:
        assert not self.ended
        self.got.append(data)
        self.room -= 1
        if self.room <= 0:
            self.stream.pause()

    def end(self, trailers: Any) -> None:
        self.ended = True

    def fail(self, error: Exception) -> None:
        raise AssertionError(error)


def test_an_event_has_a_line_of_data_for_each_line() -> None:
    assert event("a\nb\r\nc\rd") == b"data: a\ndata: b\ndata: c\ndata: d\n\n"
    assert event("x", "name") == b"event: name\ndata: x\n\n"
    assert event("\ud800") == b"data: ?\n\n"


def test_what_comes_while_a_client_does_not_read_is_kept_up_to_a_limit() -> None:
    stream = EventStream(gone=lambda stream: None, most_waiting=100)
    reader = Reader(stream, room=1)
    stream.start(reader)
    for number in range(1000):
        stream.send(b"%020d" % number)
        assert stream.waiting <= 100
    assert reader.got == [b"retry: 2000\n\n"]
    reader.room = 1000
    stream.resume()
    assert reader.got[1] == event("995", "dropped")
    assert reader.got[2:] == [b"%020d" % number for number in range(995, 1000)]
    assert stream.waiting == 0
    stream.send(b"next")
    assert reader.got[-1] == b"next"


def test_one_event_that_is_larger_than_the_limit_is_dropped() -> None:
    stream = EventStream(gone=lambda stream: None, most_waiting=10)
    stream.send(b"x" * 11)
    assert (stream.waiting, stream.dropped) == (0, 1)


def test_a_client_that_has_gone_is_forgotten_once() -> None:
    gone: list[EventStream] = []
    stream = EventStream(gone=gone.append)
    stream.start(Reader(stream))
    stream.cancel()
    stream.cancel()
    stream.send(b"x")
    assert gone == [stream]


def test_a_stream_that_has_ended_before_it_began_ends_at_once() -> None:
    stream = EventStream(gone=lambda stream: None)
    stream.finish()
    reader = Reader(stream)
    stream.start(reader)
    assert reader.ended


def test_a_feed_asks_its_source_only_while_somebody_listens() -> None:
    begun: list[int] = []
    ended: list[int] = []

    async def source() -> AsyncIterator[int]:
        begun.append(1)
        try:
            for number in range(10_000):
                await anyio.lowlevel.checkpoint()
                yield number
        finally:
            ended.append(1)

    async def run() -> None:
        feed = Feed(source)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(feed.run)
            await anyio.sleep(0.01)
            assert not begun
            response = feed.answer(lambda number: b"%d\n" % number if number % 2 else None)
            reader = Reader(response.body)
            response.body.start(reader)
            while len(reader.got) < 4:
                await anyio.lowlevel.checkpoint()
            assert reader.got[1:4] == [b"1\n", b"3\n", b"5\n"]
            response.body.cancel()
            while not ended:
                await anyio.lowlevel.checkpoint()
            feed.answer(lambda number: None)
            while len(begun) < 2:
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()

    anyio.run(run)


def test_a_feed_has_room_for_so_many_and_no_more() -> None:
    async def run() -> None:
        feed = Feed(lambda: None)  # type: ignore[arg-type,return-value]
        responses: list[Response] = [feed.answer(lambda item: None) for _ in range(1000)]
        with pytest.raises(HTTPError) as refused:
            feed.answer(lambda item: None)
        assert refused.value.status == 503
        responses[0].body.cancel()
        feed.answer(lambda item: None)

    anyio.run(run)


# ---- the log


def lines_of(operator: FakeOperator) -> list[dict[str, Any]]:
    return [
        {"host": "a.example", "uri": "/api/x", "status": 200},
        {"host": "a.example:8080", "uri": "/img", "status": 404},
        {"host": "b.example", "uri": "/api/y", "status": 503},
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [0, 1, 2]),
        ("?site=A.example", [0, 1]),
        ("?path=/api/", [0, 2]),
        ("?status=404", [1]),
        ("?status=5xx", [2]),
        ("?site=b.example&path=/api&status=5XX", [2]),
    ],
)
def test_the_log_is_told_as_far_as_it_is_asked_for(
    admin: RunningAdmin, operator: FakeOperator, reader: Callable[[str], EventReader], query: str, found: list[int]
) -> None:
    stream = reader(f"/logs{query}")
    assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
    wait_until(lambda: operator.lines)
    lines = lines_of(operator)
    for line in lines:
        admin.call(operator.tell, json.dumps(line) + "\n")
    assert [json.loads(stream.next()[1]) for _ in found] == [lines[number] for number in found]


def test_lines_of_other_formats_are_told_to_those_who_want_all(
    admin: RunningAdmin, operator: FakeOperator, reader: Callable[[str], EventReader]
) -> None:
    everything, narrow = reader("/logs"), reader("/logs?status=200")
    wait_until(lambda: len(admin.admin.room.logs) == 2 and operator.lines)
    admin.call(operator.tell, '127.0.0.1 - - "GET / HTTP/1.1" 200\n')
    admin.call(operator.tell, '{"status":200}')
    admin.call(operator.tell, "[1]")
    assert everything.next()[1] == '127.0.0.1 - - "GET / HTTP/1.1" 200'
    assert everything.next()[1] == '{"status":200}'
    assert narrow.next()[1] == '{"status":200}'


@pytest.mark.parametrize("query", ["status=20", "status=6xx", "status=abc", "status=2000", "other=1", "site=a&site=b"])
def test_a_filter_that_makes_no_sense_is_refused(admin: RunningAdmin, query: str) -> None:
    assert admin.get(f"/logs?{query}").status == 400


def test_a_client_that_never_reads_costs_little_and_nobody_else_anything(
    admin: RunningAdmin, operator: FakeOperator, reader: Callable[[str], EventReader]
) -> None:
    with admin.connect() as silent:
        silent.sendall(b"GET /logs HTTP/1.1\r\nHost: localhost\r\n\r\n")
        good = reader("/logs")
        wait_until(lambda: len(admin.admin.room.logs) == 2 and operator.lines)
        line = json.dumps({"uri": "x" * 10_000, "status": 200})
        tracemalloc.start()
        for _ in range(20):
            for _ in range(100):
                admin.call(operator.tell, line)
                assert json.loads(good.next()[1])["status"] == 200
            gc.collect()
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert held < 2_000_000  # of 20 MB that were told
        assert admin.get("/health").status == 200


def test_two_hundred_clients_listen_at_once(
    admin: RunningAdmin, operator: FakeOperator, reader: Callable[[str], EventReader]
) -> None:
    streams = [reader("/logs") for _ in range(100)] + [reader("/events") for _ in range(100)]
    wait_until(lambda: len(admin.admin.room.logs) == 100 and operator.lines)
    assert len(operator.lines) == 1, "the workers are asked once, however many listen"
    admin.call(operator.tell, "line")
    for stream in streams[:100]:
        assert stream.next() == ("message", "line")
    for stream in streams[100:]:
        name, data = stream.next()
        assert name in ("message", "history")
        assert json.loads(data)
    assert admin.get("/health").status == 200
    for stream in streams:
        stream.close()

    def all_gone() -> bool:
        admin.call(operator.tell, "line")  # who has gone is noticed by writing
        return len(admin.admin.room.logs) == len(admin.admin.room.events) == 0

    wait_until(all_gone)


def test_a_head_request_leaves_no_listener(admin: RunningAdmin) -> None:
    assert admin.ask("HEAD", "/logs").status == 200
    assert admin.ask("HEAD", "/events").status == 200
    wait_until(lambda: len(admin.admin.room.logs) == len(admin.admin.room.events) == 0)


def test_streams_end_when_the_server_stops(run_admin: Callable[..., RunningAdmin], operator: FakeOperator) -> None:
    admin = run_admin(operator)
    stream = admin.stream("/logs")
    wait_until(lambda: operator.lines)
    admin.stop()
    with pytest.raises(RuntimeError):  # StopIteration inside of `next`
        list(iter(lambda: _next(stream), None))
    stream.close()


def _next(stream: EventReader) -> Any:
    try:
        return stream.next()
    except StopIteration:
        raise RuntimeError("the stream has ended") from None


def test_events_tell_what_has_changed_in_a_second(
    admin: RunningAdmin, operator: FakeOperator, reader: Callable[[str], EventReader]
) -> None:
    place = ("example.com", "/api/*")
    requests, durations = (
        operator.meter.counter(REQUESTS, *place, "GET", "200"),
        operator.meter.histogram(DURATION, *place),
    )
    requests.add(5)
    stream = reader("/events")
    first = json.loads(stream.next()[1])
    assert (first["requests"], first["point"], first["ready"]) == (5, None, True)
    requests.add(10)
    for _ in range(10):
        durations.observe(0.03)
    second = json.loads(stream.next()[1])
    assert second["requests"] == 15
    assert second["point"]["rate"] > 0
    assert second["routes"][0]["route"] == "/api/*"
    assert 0.025 < second["routes"][0]["p50"] <= 0.05
    later = reader("/events")
    name, data = later.next()
    assert name == "history"
    assert json.loads(data)[-1]["classes"]["2xx"] > 0


def test_an_operator_that_fails_once_is_asked_again(
    run_admin: Callable[..., RunningAdmin], operator: FakeOperator, caplog: pytest.LogCaptureFixture
) -> None:
    admin = run_admin(operator)
    healthy, broken = operator.metrics, [1]

    def metrics() -> Any:
        if broken:
            broken.pop()
            raise ValueError("cannot read the segment")
        return healthy()

    operator.metrics = metrics  # type: ignore[method-assign]
    stream = admin.stream("/events")
    assert json.loads(stream.next()[1])["ready"] is True
    stream.close()
    assert "cannot read the segment" in caplog.text
