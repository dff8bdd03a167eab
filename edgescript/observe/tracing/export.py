"""Sends spans to a collector by OTLP, from a thread of its own, so that no request waits for one that is slow.

Spans wait in a bounded queue; what finds no room is dropped and counted. A collector that fails is told of once, and once
more when it takes spans again. The encoding and the wire are those of the OpenTelemetry SDK, imported when sending begins.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from edgescript.metric import Counter, Kind, Meter, Metric
from edgescript.observe.tracing.spans import Record

if TYPE_CHECKING:
    import anyio.abc
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

SPANS = Metric("edge_trace_spans", Kind.COUNTER, "Recorded spans by what became of them.", ("outcome",))

#: Spans that wait; those that come on top are dropped.
MOST_WAITING = 8192
#: Spans that are sent at once, and seconds that they wait for company.
BATCH = 512
LINGER = 1.0
#: Seconds between two tries of a collector that fails: the first, and the longest. Its spans wait as long as there is room.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
#: Seconds that `close` waits for what is still to be sent.
PATIENCE = 5.0

log = logging.getLogger("edgescript.tracing")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where spans go. What is None is left to the environment variables of OpenTelemetry (`OTEL_EXPORTER_OTLP_…`)."""

    protocol: Literal["http", "grpc"]
    endpoint: str | None
    #: They may hold credentials.
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    #: File with the certificates of the authorities that are believed; PEM.
    trust_file: str | None = None
    #: Seconds that one sending may take.
    timeout: float = 10.0
    service: str = "edge"
    #: More attributes of this server, by OpenTelemetry's names.
    resource: tuple[tuple[str, str], ...] = ()


def cells(meter: Meter) -> tuple[Counter, Counter, Counter]:
    """What counts spans that were dropped, sent, and sent in vain."""
    return meter.counter(SPANS, "dropped"), meter.counter(SPANS, "sent"), meter.counter(SPANS, "failed")


class Exporter:
    """The queue and thread of one destination."""

    def __init__(self, destination: Destination, meter: Meter) -> None:
        self._destination = destination
        self._waiting: deque[Record] = deque()
        # The first is written by the event loop alone, the others by the thread.
        self._dropped, self._sent, self._failed = cells(meter)
        self._some = threading.Event()
        self._enough = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._failing = False
        #: Of the SDK, made when there is something to send.
        self._sdk: SpanExporter | None = None

    def __repr__(self) -> str:
        return f"<Exporter {self._destination.endpoint}: {len(self._waiting)} waiting>"

    def take(self, record: Record) -> None:
        """Have a span sent soon; where sending has not begun (a test of an Edgefile), it is dropped."""
        waiting = self._waiting
        if self._thread is None or len(waiting) >= MOST_WAITING:
            self._dropped.add()
            return
        waiting.append(record)
        if not self._some.is_set():
            self._some.set()
        if len(waiting) >= BATCH and not self._enough.is_set():
            self._enough.set()

    async def start(self, tasks: anyio.abc.TaskGroup) -> None:
        # A daemon, because a collector that takes a connection and never answers must not keep the process.
        self._thread = threading.Thread(target=self._run, name="tracing", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Send what waits, for a few seconds at most."""
        self._closing.set()
        self._some.set()
        self._enough.set()
        if self._thread is not None:
            import anyio.to_thread

            await anyio.to_thread.run_sync(self._thread.join, PATIENCE, abandon_on_cancel=True)

    # ---- in the thread

    def _run(self) -> None:
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # what fails is told here, once
        resource = resource_of(self._destination)
        pause = FIRST_PAUSE
        while not (self._closing.is_set() and not self._waiting):
            self._some.wait()
            if not self._closing.is_set():
                self._enough.wait(LINGER)
            self._some.clear()
            self._enough.clear()
            pause = self._send_all(resource, pause)
        if self._sdk is not None:
            self._sdk.shutdown()

    def _send_all(self, resource: Resource, pause: float) -> float:
        """Send what waits; gives how long to pause after the next failure."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            reason = self._export([readable(record, resource) for record in batch])
            if reason is None:
                self._sent.add(len(batch))
                self._tell_healed()
                pause = FIRST_PAUSE
                continue
            self._failed.add(len(batch))
            self._tell_failed(reason)
            if self._closing.wait(pause):
                self._failed.add(len(self._waiting))
                self._waiting.clear()
            self._some.set()
            return min(pause * 2, LONGEST_PAUSE)
        return pause

    def _export(self, spans: Sequence[ReadableSpan]) -> str | None:
        """Why spans could not be sent, or None."""
        from opentelemetry.sdk.trace.export import SpanExportResult

        begun = time.monotonic()
        try:
            if self._sdk is None:
                self._sdk = exporter_of(self._destination)
            result = self._sdk.export(spans)
        except Exception as error:  # no such file of certificates, and whatever its HTTP or gRPC library raises
            return f"{type(error).__name__}: {error}"
        if result is SpanExportResult.SUCCESS:
            return None
        return f"it did not take them ({time.monotonic() - begun:.1f} s)"

    def _tell_failed(self, reason: str) -> None:
        if not self._failing:
            self._failing = True
            log.error("spans cannot be sent to %s: %s", self._destination.endpoint or "the collector", reason)

    def _tell_healed(self) -> None:
        if self._failing:
            self._failing = False
            log.warning("spans are sent to %s again", self._destination.endpoint or "the collector")


# ---- the SDK


def exporter_of(destination: Destination) -> SpanExporter:
    """What sends spans there."""
    headers = dict(destination.headers) or None
    if destination.protocol == "http":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HTTPExporter

        return HTTPExporter(
            destination.endpoint,
            certificate_file=destination.trust_file,
            headers=headers,
            timeout=destination.timeout,
        )
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GRPCExporter

    return GRPCExporter(
        destination.endpoint,
        insecure=None if destination.endpoint is None else destination.endpoint.startswith("http://"),
        credentials=_credentials(destination.trust_file),
        headers=headers,
        timeout=destination.timeout,
    )


def _credentials(trust_file: str | None) -> Any:
    if trust_file is None:
        return None
    import grpc

    with open(trust_file, "rb") as file:
        return grpc.ssl_channel_credentials(file.read())


def resource_of(destination: Destination) -> Resource:
    """What the spans say about this server."""
    import os
    import socket

    from opentelemetry.sdk.resources import Resource

    from edgescript.version import __version__

    own: Mapping[str, str | int] = {
        "service.name": destination.service,
        "service.version": __version__,
        "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
        "host.name": socket.gethostname(),
        "process.pid": os.getpid(),
        **dict(destination.resource),
    }
    return Resource.create(own)


def readable(record: Record, resource: Resource) -> ReadableSpan:
    """A span as the SDK has them."""
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, SpanKind, TraceFlags, TraceState
    from opentelemetry.trace.status import Status, StatusCode

    trace_id = int(record.trace_id, 16)
    state = TraceState.from_header([record.state.decode("latin-1")]) if record.state else None
    context = SpanContext(trace_id, int(record.span_id, 16), False, TraceFlags(TraceFlags.SAMPLED), state)
    parent = SpanContext(trace_id, int(record.parent_id, 16), True) if record.parent_id else None
    return ReadableSpan(
        record.name,
        context=context,
        parent=parent,
        resource=resource,
        attributes=record.attributes,
        kind=SpanKind[record.kind.upper()],
        status=Status() if record.error is None else Status(StatusCode.ERROR, record.error),
        start_time=record.began,
        end_time=record.ended,
        instrumentation_scope=InstrumentationScope("edgescript"),
    )
