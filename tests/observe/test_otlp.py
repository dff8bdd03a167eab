"""Metrics sent to a collector: the official messages, and collectors that hang, refuse, talk nonsense or are gone."""

from __future__ import annotations

import gzip
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.abc
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from edgescript.metric import Kind, Meter, Metric
from edgescript.observe.otlp import PUSHES, Collector, Push, message
from edgescript.observe.segments import own_families

pytestmark = pytest.mark.anyio

HITS = Metric("edge_hits", Kind.COUNTER, "Hits.", ("site",))
OPEN = Metric("edge_open", Kind.GAUGE, "Open.")
SECONDS = Metric("edge_wait_seconds", Kind.HISTOGRAM, "Seconds.", ("site",), (0.1, 1.0), exemplars=True)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Recorded:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    span_id = "b7ad6b7169203331"
    sampled = True


class Receiver:
    """What takes OTLP over HTTP, and keeps it; how it answers can be changed."""

    def __init__(self) -> None:
        self.answer: Callable[[anyio.abc.SocketStream], Awaitable[None]] = self.accept
        self.heads: list[bytes] = []
        self.requests: list[ExportMetricsServiceRequest] = []
        self.connections = 0

    async def accept(self, stream: anyio.abc.SocketStream) -> None:
        await stream.send(OK)

    async def hang(self, stream: anyio.abc.SocketStream) -> None:
        await anyio.sleep_forever()

    async def serve(self, stream: anyio.abc.SocketStream) -> None:
        self.connections += 1
        async with stream:
            received = b""
            while b"\r\n\r\n" not in received:
                received += await stream.receive()
            head, _, body = received.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            while len(body) < length:
                body += await stream.receive()
            self.heads.append(head)
            self.requests.append(ExportMetricsServiceRequest.FromString(gzip.decompress(body)))
            await self.answer(stream)


@asynccontextmanager
async def receiving() -> AsyncIterator[tuple[Receiver, str]]:
    receiver = Receiver()
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(_forgiving, listener, receiver)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        yield receiver, f"http://127.0.0.1:{port}/v1/metrics"
        tasks.cancel_scope.cancel()


async def _forgiving(listener: Any, receiver: Receiver) -> None:
    async def serve(stream: anyio.abc.SocketStream) -> None:
        try:
            await receiver.serve(stream)
        except (anyio.EndOfStream, anyio.BrokenResourceError):  # the other side had enough
            return

    await listener.serve(serve)


@pytest.fixture
def meter() -> Meter:
    made = Meter()
    made.counter(HITS, "a").add(3)
    made.gauge(OPEN).set(2.5)
    cell = made.histogram(SECONDS, "a")
    for value in (0.05, 0.5, 0.5, 7.0):
        cell.observe(value)
    cell.keep(0.5, Recorded(), clock=lambda: 12.0)  # type: ignore[arg-type]  # what is kept of a span
    return made


def push_of(meter: Meter, url: str, **more: Any) -> Push:
    return Push(Collector(url, **more), lambda: own_families(meter), meter)


def pushes(meter: Meter) -> dict[str, float]:
    return {series.labels[0]: series.values[0] for series in meter.series() if series.metric == PUSHES}


def metrics_of(request: ExportMetricsServiceRequest) -> dict[str, Any]:
    (of_resource,) = request.resource_metrics
    (scope,) = of_resource.scope_metrics
    return {metric.name: metric for metric in scope.metrics}


async def test_a_receiver_of_the_official_messages_finds_what_was_counted(meter: Meter) -> None:
    async with receiving() as (receiver, url):
        assert await push_of(meter, url, headers=(("authorization", "Bearer key"),)).push()
    (head,), (request,) = receiver.heads, receiver.requests
    assert head.startswith(b"POST /v1/metrics HTTP/1.1\r\n")
    assert b"\r\ncontent-type: application/x-protobuf\r\n" in head
    assert head.endswith(b"\r\nauthorization: Bearer key")
    found = metrics_of(request)
    (point,) = found["edge_hits"].sum.data_points
    assert (point.as_double, point.attributes[0].key, point.attributes[0].value.string_value) == (3.0, "site", "a")
    assert found["edge_hits"].sum.is_monotonic
    assert found["edge_hits"].sum.aggregation_temporality == 2
    assert 0 < point.start_time_unix_nano <= point.time_unix_nano
    assert found["edge_open"].gauge.data_points[0].as_double == 2.5
    (distribution,) = found["edge_wait_seconds"].histogram.data_points
    assert (distribution.count, distribution.sum) == (4, 8.05)
    assert list(distribution.bucket_counts) == [1, 2, 1]
    assert list(distribution.explicit_bounds) == [0.1, 1.0]
    assert found["edge_wait_seconds"].unit == "s"
    (exemplar,) = distribution.exemplars
    assert (exemplar.trace_id.hex(), exemplar.span_id.hex()) == (Recorded.trace_id, Recorded.span_id)


async def test_a_collector_that_hangs_is_given_up_and_taken_up_again(
    meter: Meter, caplog: pytest.LogCaptureFixture
) -> None:
    async with receiving() as (receiver, url):
        push = push_of(meter, url, timeout=0.4)
        receiver.answer = receiver.hang
        assert not await push.push()
        assert not await push.push()
        receiver.answer = receiver.accept
        assert await push.push()
    assert pushes(meter) == {"failed": 2.0, "ok": 1.0}
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert told == [
        f"metrics cannot be sent to {url}: it did not answer in time",
        f"metrics are sent to {url} again",
    ]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "it answered 503"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "it does not speak HTTP"),
        (b"x" * 100_000, "it does not speak HTTP"),
        (b"", "it closed the connection"),
    ],
)
async def test_an_answer_that_is_none_is_told(
    meter: Meter, caplog: pytest.LogCaptureFixture, answer: bytes, why: str
) -> None:
    async with receiving() as (receiver, url):

        async def say(stream: anyio.abc.SocketStream) -> None:
            if answer:
                await stream.send(answer)

        receiver.answer = say
        assert not await push_of(meter, url).push()
    assert caplog.messages == [f"metrics cannot be sent to {url}: {why}"]


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
async def test_a_collector_that_speaks_no_tls_is_told(
    meter: Meter, caplog: pytest.LogCaptureFixture, answer: bytes
) -> None:
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:

        async def close_early(stream: anyio.abc.SocketStream) -> None:
            async with stream:
                await stream.receive()
                if answer:
                    await stream.send(answer)

        tasks.start_soon(listener.serve, close_early)
        url = f"https://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}/v1/metrics"
        assert not await push_of(meter, url).push()
        tasks.cancel_scope.cancel()
    assert len(caplog.messages) == 1
    assert caplog.records[0].exc_info is None


async def test_a_name_that_cannot_be_one_stops_nothing(meter: Meter, caplog: pytest.LogCaptureFixture) -> None:
    assert not await push_of(meter, f"http://{'x' * 100}.example/v1/metrics").push()
    assert pushes(meter) == {"failed": 1.0}


async def test_a_collector_that_is_gone_is_told_once(
    meter: Meter, caplog: pytest.LogCaptureFixture, reserve_port: Callable[[], int]
) -> None:
    push = push_of(meter, f"http://127.0.0.1:{reserve_port()}/v1/metrics")
    for _ in range(3):
        assert not await push.push()
    assert len(caplog.messages) == 1
    assert pushes(meter) == {"failed": 3.0}


async def test_it_is_sent_again_and_again_and_once_more_at_the_end(meter: Meter) -> None:
    async with receiving() as (receiver, url), anyio.create_task_group() as tasks:
        push = push_of(meter, url, interval=0.01)
        await push.start(tasks)
        with anyio.fail_after(10):
            while len(receiver.requests) < 3:  # noqa: ASYNC110  # the receiver tells nobody
                await anyio.sleep(0.005)
        meter.counter(HITS, "a").add(39)
        await push.close()
        count = len(receiver.requests)
    last = metrics_of(receiver.requests[-1])
    assert last["edge_hits"].sum.data_points[0].as_double == 42.0
    assert len(receiver.requests) == count


async def test_keys_are_not_shown(meter: Meter) -> None:
    assert "secret" not in repr(Collector("http://127.0.0.1:4318", (("authorization", "secret"),)))


async def test_labels_that_are_no_unicode_text_can_be_sent() -> None:
    meter = Meter()
    meter.counter(HITS, "/srv/\udcff").add()
    (point,) = metrics_of(message(own_families(meter), 1, 2))["edge_hits"].sum.data_points
    assert point.attributes[0].value.string_value == "/srv/?"
