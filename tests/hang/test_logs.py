"""Outputs of logs that hang, fail and come back: requests are served all the same, and nothing grows."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from edgescript.observe import network, writer
from edgescript.observe import otlp_logs as otlp
from tests.observe.receivers import Collector, StreamReceiver, wait_for


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "TIMEOUT", 0.1)
    monkeypatch.setattr(otlp, "TIMEOUT", 0.1)
    monkeypatch.setattr(writer, "LINGER", 0.01)
    monkeypatch.setattr(writer, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(writer, "MOST_DELAY", 0.02)


def site(output: str) -> str:
    return f":80 {{\n log {{\n output {output}\n }}\n respond hello\n}}"


def asked(server: Any, count: int, path: str = "/") -> None:
    with httpx.Client() as client:
        for _ in range(count):
            assert client.get(server.url + path).text == "hello"


@pytest.mark.parametrize("engine", ["fast", "hypercorn"])
@pytest.mark.parametrize("kind", ["syslog tcp://", "otlp http://"])
def test_a_receiver_that_accepts_and_never_answers_holds_no_request_up(
    serve_edgefile: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, engine: str, kind: str
) -> None:
    monkeypatch.setattr(writer, "MOST_WAITING", 20_000)
    with socket.create_server(("127.0.0.1", 0)) as hung:
        port = hung.getsockname()[1]
        server = serve_edgefile(site(f"{kind}127.0.0.1:{port}"), engine=engine)
        (made,) = [one for one in writer._alive if str(port) in repr(one)]
        asked(server, 60, f"/{'x' * 1000}")
        # A stream that nobody reads takes what the kernel holds; a collector that says nothing has taken nothing.
        if "otlp" in kind:
            wait_for(lambda: "cannot be written: timed out" in caplog.text)
            assert made.dropped > 0
            assert sum(map(len, made._lines)) < 30_000
        server.stop()


def test_a_collector_gets_every_request_before_the_end(serve_edgefile: Any) -> None:
    collector = Collector()
    server = serve_edgefile(site(f"otlp {collector.url}"))
    asked(server, 50)
    server.stop()
    collector.stop()
    assert [json.loads(record.body.string_value)["status"] for record in collector.records] == [200] * 50


def test_a_syslog_server_that_is_gone_for_a_while_misses_nothing(
    serve_edgefile: Any, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = StreamReceiver()
    receiver.stop()
    server = serve_edgefile(site(f"syslog tcp://127.0.0.1:{receiver.port}"))
    asked(server, 5)
    wait_for(lambda: "cannot be written: Connection refused" in caplog.text)
    asked(server, 5)
    again = StreamReceiver(port=receiver.port)
    wait_for(lambda: len(again.messages()) == 10)
    server.stop()
    again.stop()
    assert "is written again; 0 of its lines" in caplog.text


def test_a_full_disk_stops_no_request(serve_edgefile: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "access.log"
    path.symlink_to("/dev/full")
    server = serve_edgefile(site("file access.log"))
    asked(server, 5)
    wait_for(lambda: "No space left on device" in caplog.text)
    asked(server, 5)
    path.unlink()
    wait_for(lambda: path.exists() and len(path.read_text().splitlines()) == 10)
    server.stop()


def test_a_folder_that_vanished_comes_back(serve_edgefile: Any, tmp_path: Path) -> None:
    path = tmp_path / "logs" / "access.log"
    server = serve_edgefile(site("file logs/access.log"))
    asked(server, 1)
    wait_for(lambda: path.exists() and path.read_text())
    path.unlink()
    path.parent.rmdir()
    asked(server, 1)
    wait_for(lambda: path.exists() and path.read_text())
    server.stop()
    assert len(path.read_text().splitlines()) == 1


def test_a_log_is_turned_over_under_load(serve_edgefile: Any, tmp_path: Path) -> None:
    output = "file logs/access.log {\n rotate {\n size 5KiB\n keep 100\n compress off\n }\n}"
    server = serve_edgefile(site(output))
    for number in range(10):
        asked(server, 20, f"/{number}")
        wait_for(lambda: not next(one for one in writer._alive if "access.log" in repr(one))._lines)
    server.stop()
    files = list((tmp_path / "logs").iterdir())
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert len(files) > 3
    assert len(lines) == 200
    assert {json.loads(line)["status"] for line in lines} == {200}
