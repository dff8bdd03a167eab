"""Metrics sent to an OpenTelemetry collector: OTLP over HTTP, in the official messages.

A push is one request on a connection of its own, within one time limit, and there is never more than one: a collector that
hangs, or is gone, costs that one connection and nothing waits for it. Counters are cumulative, so that whatever could not be
sent is in the next push.
"""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from edgescript.metric import Kind, Meter, Metric, Series
from edgescript.observe.segments import Family
from edgescript.version import __version__

if TYPE_CHECKING:
    import logging

    import anyio
    import anyio.abc
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

PUSHES = Metric(
    "edge_metrics_pushes", Kind.COUNTER, "Pushes of metrics to the collector, by what became of them.", ("result",)
)

#: The head of a response, and no more than that of it is looked at.
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[ \r]")
_MOST_READ = 16 * 1024
#: Seconds that the last push may keep a server from stopping.
_LAST = 2.0


@dataclass(frozen=True, slots=True)
class Collector:
    """Where metrics go, and how often."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()
    #: Seconds.
    interval: float = 15.0
    timeout: float = 10.0

    def __repr__(self) -> str:  # the fields may hold keys
        return f"<Collector {self.url}>"


class PushFailed(Exception):
    """A collector did not take the metrics; the message says why."""


class Push:
    """
    Sends metrics by itself, from `start` until `close`; what was counted last is sent then.

    :param meter: counts how it went
    """

    def __init__(self, collector: Collector, families: Callable[[], Sequence[Family]], meter: Meter) -> None:
        self._collector = collector
        self._families = families
        self._meter = meter.part()
        self._began = time.time_ns()
        self._scope: anyio.CancelScope | None = None
        self._failing = False

    async def start(self, tasks: anyio.abc.TaskGroup) -> None:
        import anyio

        self._scope = anyio.CancelScope()
        tasks.start_soon(self._run, self._scope)

    async def close(self) -> None:
        import anyio

        if self._scope is not None:
            self._scope.cancel()
            with anyio.move_on_after(_LAST):
                await self.push()
        await self._meter.close()

    async def _run(self, scope: anyio.CancelScope) -> None:
        import anyio

        with scope:
            while True:
                await anyio.sleep(self._collector.interval)
                await self.push()

    async def push(self) -> bool:
        """Send what there is now; whether the collector took it. Takes as long as the time limit, and no longer."""
        import anyio.to_thread

        try:
            # In a thread: the library takes its time to be imported, and some thousand series to be written.
            data = await anyio.to_thread.run_sync(_encoded, self._families(), self._began, time.time_ns())
            await _post(self._collector, data)
        except Exception as error:  # whatever it is, requests go on being served
            self._tell("failed")
            if not self._failing:
                self._failing = True
                expected = isinstance(error, PushFailed | OSError)
                _log().warning(
                    "metrics cannot be sent to %s: %s",
                    self._collector.url,
                    _reason(error),
                    exc_info=None if expected else error,
                )
            return False
        self._tell("ok")
        if self._failing:
            self._failing = False
            _log().warning("metrics are sent to %s again", self._collector.url)
        return True

    def _tell(self, result: str) -> None:
        self._meter.counter(PUSHES, result).add()


def _reason(error: Exception) -> str:
    return "it did not answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__


async def _post(collector: Collector, data: bytes) -> None:
    """
    One request.

    :raises PushFailed: if the answer is none, or says that it was in vain
    :raises OSError: if the collector cannot be reached
    :raises TimeoutError: if it takes too long
    """
    import anyio

    url = urlsplit(collector.url)
    assert url.hostname is not None, "the setting was checked"
    is_tls = url.scheme == "https"
    port = url.port or (443 if is_tls else 80)
    head = _head(collector, url.netloc, url.path or "/v1/metrics", len(data))
    try:
        with anyio.fail_after(collector.timeout):
            stream: Any = (
                await anyio.connect_tcp(url.hostname, port, tls=True, tls_standard_compatible=False)
                if is_tls
                else await anyio.connect_tcp(url.hostname, port)
            )
            try:
                await stream.send(head + data)
                _accepted(await _first_line(stream))
            finally:
                await anyio.aclose_forcefully(stream)
    except (anyio.EndOfStream, anyio.BrokenResourceError):
        raise PushFailed("it closed the connection") from None


def _head(collector: Collector, host: str, path: str, length: int) -> bytes:
    fields = [
        ("host", host),
        ("content-type", "application/x-protobuf"),
        ("content-encoding", "gzip"),
        ("content-length", str(length)),
        ("user-agent", f"edge/{__version__}"),
        ("connection", "close"),
        *collector.headers,
    ]
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode("ascii")


async def _first_line(stream: Any) -> bytes:
    received = b""
    while b"\n" not in received and len(received) < _MOST_READ:
        received += await stream.receive()
    return received


def _accepted(received: bytes) -> None:
    line = _STATUS_LINE.match(received)
    if line is None:
        raise PushFailed("it does not speak HTTP")
    if not line[1].startswith(b"2"):
        raise PushFailed(f"it answered {line[1].decode()}")


# ---- the messages


def _encoded(families: Sequence[Family], began: int, now: int) -> bytes:
    return gzip.compress(message(families, began, now).SerializeToString(), 1)


def message(families: Sequence[Family], began: int, now: int) -> ExportMetricsServiceRequest:
    """
    Metrics in the messages of `opentelemetry-proto`.

    :param began: since when counters count, in nanoseconds since 1970
    :param now: what time it is
    """
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    request = ExportMetricsServiceRequest()
    of_resource = request.resource_metrics.add()
    _attribute(of_resource.resource, "service.name", "edge")
    _attribute(of_resource.resource, "service.version", __version__)
    scope = of_resource.scope_metrics.add()
    scope.scope.name = "edgescript"
    scope.scope.version = __version__
    for family in families:
        _add(scope.metrics.add(), family, began, now)
    return request


def _add(metric: Any, family: Family, began: int, now: int) -> None:
    declared = family.metric
    metric.name, metric.description, metric.unit = declared.name, declared.doc, _unit(declared.name)
    if declared.kind is Kind.COUNTER:
        metric.sum.is_monotonic = True
    if declared.kind is not Kind.GAUGE:
        of_kind = metric.sum if declared.kind is Kind.COUNTER else metric.histogram
        of_kind.aggregation_temporality = 2  # AGGREGATION_TEMPORALITY_CUMULATIVE
    else:
        of_kind = metric.gauge
    for series in family.series:
        point = of_kind.data_points.add()
        point.time_unix_nano = now
        if declared.kind is not Kind.GAUGE:
            point.start_time_unix_nano = began
        for label, value in zip(declared.labels, series.labels, strict=True):
            _attribute(point, label, value)
        if declared.kind is Kind.HISTOGRAM:
            _fill_histogram(point, series)
        else:
            point.as_double = series.values[0]


def _fill_histogram(point: Any, series: Series) -> None:
    counts = [int(count) for count in series.counts]
    point.count = sum(counts)
    point.sum = series.values[0]
    point.bucket_counts.extend(counts)
    point.explicit_bounds.extend(series.metric.buckets)
    for bucket in range(len(counts)):
        kept = series.exemplar(bucket)
        if kept is not None:
            exemplar = point.exemplars.add()
            exemplar.time_unix_nano = int(kept.when * 1e9)
            exemplar.as_double = kept.value
            exemplar.trace_id = bytes.fromhex(kept.trace_id)
            exemplar.span_id = bytes.fromhex(kept.span_id)


def _attribute(of: Any, name: str, value: str) -> None:
    attribute = of.attributes.add()
    attribute.key = name
    attribute.value.string_value = value.encode("utf-8", "replace").decode()


def _unit(name: str) -> str:
    """The unit that a metric's name ends with, as UCUM has it."""
    return "s" if name.endswith("_seconds") else "By" if name.endswith("_bytes") else ""


def _log() -> logging.Logger:
    """Where it is said that something is wrong; imported then."""
    import logging

    return logging.getLogger("edgescript.observe")
