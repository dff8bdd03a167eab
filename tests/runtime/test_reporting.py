"""What the supervisor sends to a collector by itself: the sums of all workers."""

from __future__ import annotations

import gzip
import http.server
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest


class Collector:
    """What takes OTLP over HTTP, in a thread; `hangs` makes it answer nobody."""

    def __init__(self) -> None:
        self.received: queue.Queue[dict[str, Any]] = queue.Queue()
        self.hangs = threading.Event()
        self.enough = threading.Event()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = gzip.decompress(self.rfile.read(int(self.headers["content-length"])))
                if collector.hangs.is_set():
                    collector.enough.wait()
                    return
                scope = ExportMetricsServiceRequest.FromString(body).resource_metrics[0].scope_metrics[0]
                collector.received.put({metric.name: metric for metric in scope.metrics})
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = False
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    @property
    def setting(self) -> str:
        return f"metrics {{\notlp http://127.0.0.1:{self.server.server_port} {{\ninterval 1s\ntimeout 1s\n}}\n}}"

    def stop(self) -> None:
        self.enough.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.stop()


def requests_in(metrics: dict[str, Any]) -> float:
    found = metrics.get("edge_http_requests")
    return 0.0 if found is None else sum(point.as_double for point in found.sum.data_points)


SITE = 'http://127.0.0.1:PORT {\n    respond "hello"\n}'


@pytest.fixture
def site(reserve_port: Callable[[], int]) -> str:
    return SITE.replace("PORT", str(reserve_port()))


def test_a_collector_gets_the_sums_of_all_workers_and_what_was_counted_last(
    run: Any, site: str, collector: Collector
) -> None:
    server = run(site, options=f"workers 2\n{collector.setting}")
    for _ in range(8):
        server.get()
    while requests_in(collector.received.get(timeout=60)) < 8:
        pass
    server.get()
    assert server.stop() == 0
    last = {}
    while not collector.received.empty():
        last = collector.received.get()
    assert requests_in(last) == 9
    labels = [point.attributes[0].value.string_value for point in last["edge_process_cpu_seconds"].sum.data_points]
    assert sorted(labels)[-1] == "supervisor"
    assert len(labels) == 3


def test_a_collector_that_hangs_keeps_nobody(run: Any, site: str, collector: Collector) -> None:
    collector.hangs.set()
    server = run(site, options=f"workers 1\n{collector.setting}")
    server.wait_for("metrics cannot be sent to")
    assert server.get() == "hello"
    assert server.metric("edge_metrics_pushes_total") >= 1
    collector.hangs.clear()
    server.wait_for("again")
    assert server.reload(site, options="workers 1").status == 200
    assert server.stop() == 0
