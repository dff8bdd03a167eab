"""Spans on their way to a collector: real receivers over HTTP and gRPC, and ones that are slow, gone, or back again."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from edgescript.metric import Meter
from edgescript.observe.tracing import export
from edgescript.observe.tracing.export import MOST_WAITING, SPANS, Destination, Exporter
from edgescript.observe.tracing.propagation import Propagation
from edgescript.observe.tracing.spans import Record, Recorded

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Collector:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.headers: list[dict[str, str]] = []
        self.arrived = threading.Condition()
        self.status = 200

    def keep(self, request: ExportTraceServiceRequest, headers: dict[str, str]) -> None:
        with self.arrived:
            self.requests.append(request)
            self.headers.append(headers)
            self.arrived.notify_all()

    @property
    def spans(self) -> list[Any]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def wait_for(self, count: int) -> list[Any]:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.spans) >= count, 30), f"{len(self.spans)} spans came"
            return self.spans


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.fixture
def http(collector: Collector) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["content-length"]))
            if collector.status == 200:
                collector.keep(ExportTraceServiceRequest.FromString(data), dict(self.headers))
            self.send_response(collector.status)
            self.send_header("content-type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, *words: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/traces"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def grpc_collector(collector: Collector) -> Iterator[str]:
    import grpc
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc

    class Service(trace_service_pb2_grpc.TraceServiceServicer):
        def Export(self, request: Any, context: Any) -> Any:  # noqa: N802  # gRPC calls it so
            collector.keep(request, dict(context.invocation_metadata()))
            return ExportTraceServiceResponse()

    server = grpc.server(ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop(None).wait()


def span(exporter: Exporter, name: str = "GET") -> Recorded:
    return Recorded(
        name, "server", trace_id="1" * 32, parent_id="2" * 16, state=b"a=1", propagation=Propagation(["w3c"]),
        take=exporter.take,
    )  # fmt: skip


def outcomes(meter: Meter) -> dict[str, int]:
    return {name: int(meter.counter(SPANS, name).value) for name in ("sent", "failed", "dropped")}


@pytest.fixture
def sending(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Exporter, Meter]]:
    monkeypatch.setattr(export, "LINGER", 0.05)
    monkeypatch.setattr(export, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(export, "LONGEST_PAUSE", 0.2)

    def make(destination: Destination) -> tuple[Exporter, Meter]:
        meter = Meter()
        return Exporter(destination, meter), meter

    return make


@pytest.mark.parametrize("protocol", ["http", "grpc"])
async def test_a_collector_gets_the_spans_with_everything_in_them(
    protocol: Any, collector: Collector, request: pytest.FixtureRequest, sending: Any
) -> None:
    endpoint = request.getfixturevalue("http" if protocol == "http" else "grpc_collector")
    headers = (("x-api-key", "k"),)
    exporter, meter = sending(Destination(protocol, endpoint, headers, service="shop", resource=(("region", "se"),)))
    async with anyio.create_task_group() as tasks:
        await exporter.start(tasks)
    root = span(exporter)
    child = root.child("proxy", client=True)
    child.set("server.port", 80)
    child.end("it closed the connection")
    root.set("http.response.status_code", 502)
    root.end()
    await exporter.close()
    got = {one.name: one for one in collector.wait_for(2)}
    assert got["proxy"].parent_span_id == got["GET"].span_id
    assert got["GET"].parent_span_id.hex() == "2" * 16
    assert got["GET"].trace_id.hex() == got["proxy"].trace_id.hex() == "1" * 32
    assert got["GET"].trace_state == "a=1"
    assert (got["GET"].kind, got["proxy"].kind) == (2, 3)
    assert (got["proxy"].status.code, got["proxy"].status.message) == (2, "it closed the connection")
    assert got["GET"].end_time_unix_nano >= got["GET"].start_time_unix_nano > 0
    resource = {one.key: one.value.string_value for one in collector.requests[0].resource_spans[0].resource.attributes}
    assert (resource["service.name"], resource["region"]) == ("shop", "se")
    assert {name.lower(): value for name, value in collector.headers[0].items()}["x-api-key"] == "k"
    assert outcomes(meter) == {"sent": 2, "failed": 0, "dropped": 0}


async def test_a_collector_that_is_gone_is_told_of_once_and_once_more_when_it_is_back(
    collector: Collector, http: str, sending: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "edgescript.tracing")
    collector.status = 400  # which the SDK does not try again
    exporter, meter = sending(Destination("http", http))
    async with anyio.create_task_group() as tasks:
        await exporter.start(tasks)
    for number in range(3):
        span(exporter).end()
        with anyio.fail_after(30):
            while outcomes(meter)["failed"] <= number:  # noqa: ASYNC110  # a thread counts
                await anyio.sleep(0.01)
    collector.status = 200
    span(exporter, "after").end()
    assert collector.wait_for(1)[0].name == "after"
    await exporter.close()
    told = [record.getMessage() for record in caplog.records if record.name == "edgescript.tracing"]
    assert [("cannot be sent" in line, "again" in line) for line in told] == [(True, False), (False, True)]
    assert outcomes(meter)["sent"] == 1


@pytest.mark.parametrize("protocol", ["http", "grpc"])
async def test_certificates_that_are_not_there_are_told_of_and_tried_again(
    sending: Any, caplog: pytest.LogCaptureFixture, tmp_path: Path, protocol: Any
) -> None:
    missing = str(tmp_path / "roots.pem")
    exporter, meter = sending(Destination(protocol, "https://127.0.0.1:1", trust_file=missing, timeout=0.2))
    async with anyio.create_task_group() as tasks:
        await exporter.start(tasks)
    for number in range(2):
        span(exporter).end()
        with anyio.fail_after(30):
            while outcomes(meter)["failed"] <= number:  # noqa: ASYNC110  # a thread counts
                await anyio.sleep(0.01)
    await exporter.close()
    assert caplog.text.count("spans cannot be sent") == 1
    assert protocol == "http" or missing in caplog.text  # the SDK's HTTP keeps the reason to itself


async def test_a_collector_that_never_answers_costs_a_bounded_queue_and_a_bounded_wait(
    sending: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        exporter, meter = sending(Destination("http", f"http://127.0.0.1:{port}/v1/traces", timeout=1.0))
        async with anyio.create_task_group() as tasks:
            await exporter.start(tasks)
        for _ in range(MOST_WAITING + 2000):
            span(exporter).end()
        assert len(exporter._waiting) <= MOST_WAITING
        assert outcomes(meter)["dropped"] > 0
        with anyio.fail_after(10):
            await exporter.close()
        thread = exporter._thread
        assert thread is not None
        await anyio.to_thread.run_sync(thread.join, 30)
        assert not thread.is_alive()


async def test_what_is_not_sent_anywhere_is_dropped_and_counted(sending: Any) -> None:
    exporter, meter = sending(Destination("http", "http://127.0.0.1:9/"))
    span(exporter).end()
    assert outcomes(meter)["dropped"] == 1
    await exporter.close()


def test_credentials_stand_in_no_repr() -> None:
    destination = Destination("http", "http://x/", (("authorization", "SECRET"),))
    assert "SECRET" not in repr(destination)
    assert "SECRET" not in repr(Exporter(destination, Meter()))


def test_a_span_ends_once() -> None:
    ended: list[Record] = []
    one = Recorded(
        "x", "server", trace_id="1" * 32, parent_id="", state=b"", propagation=Propagation(["w3c"]), take=ended.append
    )
    one.end()
    one.end("again")
    one.child("late").end()
    assert [record.error for record in ended] == [None]
