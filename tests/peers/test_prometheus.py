"""Prometheus' own tools read what is exposed: promtool checks it, and a server of Debian's package scrapes it."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgescript.generate.metrics import declared
from edgescript.metric import Kind, Meter
from edgescript.observe.exposition import expose
from edgescript.observe.segments import own_families

pytestmark = pytest.mark.skipif(shutil.which("promtool") is None, reason="needs prometheus")

SITE = """
:80 {
    metrics /metrics
    handle /api/* {
        respond "api"
    }
    proxy BEHIND
}
"""


def fetch(url: str, **headers: str) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return answer.read()


def check(text: bytes) -> None:
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


@pytest.fixture
def server(serve_edgefile: Callable[..., Any], origin: Callable[..., Any]) -> Any:
    behind = origin(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    made = serve_edgefile(SITE.replace("BEHIND", behind.address))
    for path in ("/api/x", "/", "/"):
        fetch(made.url + path)
    return made


def test_promtool_finds_nothing_wrong_with_what_is_served(server: Any) -> None:
    text = fetch(f"{server.url}/metrics")
    assert b"edge_upstream_attempts_total" in text
    check(text)


def test_promtool_finds_nothing_wrong_with_any_metric_that_is_declared() -> None:
    meter = Meter()
    for metric in declared():
        labels = ["x"] * len(metric.labels)
        if metric.kind is Kind.COUNTER:
            meter.counter(metric, *labels).add()
        elif metric.kind is Kind.GAUGE:
            meter.gauge(metric, *labels).set(1)
        else:
            meter.histogram(metric, *labels).observe(1.0)
    check(expose(own_families(meter))[1])


@pytest.fixture
def prometheus(server: Any, reserve_port: Callable[[], int], tmp_path: Path) -> Iterator[str]:
    """A Prometheus that scrapes the server every second; its URL."""
    config = {
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [{"job_name": "edge", "static_configs": [{"targets": [f"127.0.0.1:{server.port}"]}]}],
        "storage": {"exemplars": {"max_exemplars": 100}},
    }
    (tmp_path / "prometheus.yml").write_text(json.dumps(config))
    port = reserve_port()
    command = [
        "prometheus",
        f"--config.file={tmp_path}/prometheus.yml",
        f"--storage.tsdb.path={tmp_path}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--enable-feature=exemplar-storage",
        "--log.level=warn",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        process.communicate(timeout=30)


def wait_for(query: str, url: str, expected: Callable[[list[Any]], bool]) -> list[Any]:
    """Ask Prometheus until it says what is expected."""
    until = time.monotonic() + 40
    found: list[Any] = []
    while time.monotonic() < until:
        try:
            said = json.loads(fetch(f"{url}/api/v1/query?query={urllib.parse.quote(query)}"))
            found = said["data"]["result"]
        except OSError:  # it is starting
            found = []
        if expected(found):
            return found
        time.sleep(0.1)
    raise AssertionError(f"{query} is {found}")


def test_prometheus_scrapes_it(server: Any, prometheus: str) -> None:
    (up,) = wait_for("up", prometheus, lambda found: bool(found) and found[0]["value"][1] == "1")
    assert up["metric"]["job"] == "edge"
    (api,) = wait_for('edge_http_requests_total{route="/api/*"}', prometheus, bool)
    assert api["value"][1] == "1"
    assert api["metric"]["site"] == ":80"
    fetch(f"{server.url}/api/y")
    wait_for('edge_http_requests_total{route="/api/*"}', prometheus, lambda found: found[0]["value"][1] == "2")
    quantile = "histogram_quantile(0.9, edge_http_request_duration_seconds_bucket)"
    assert all(0 < float(one["value"][1]) < 10 for one in wait_for(quantile, prometheus, lambda found: len(found) >= 2))
