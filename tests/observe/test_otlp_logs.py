from __future__ import annotations

import asyncio
import socket
import threading
from collections import deque

import pytest

from edgescript.metric import Meter
from edgescript.observe import otlp_logs as otlp
from edgescript.observe import writer as writing
from edgescript.observe.entry import ERROR, INFO, Entry
from edgescript.observe.otlp_logs import Otlp
from edgescript.observe.writer import LINES, LineWriter
from tests.observe.receivers import Collector, wait_for

FIELDS = (("uri", "/a", False), ("status", "503", True), ("duration", "0.500000", True))


@pytest.fixture
def collector():
    made = Collector()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(otlp, "TIMEOUT", 1.0)
    monkeypatch.setattr(writing, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(writing, "MOST_DELAY", 0.02)


def destination(collector, **options) -> Otlp:
    return Otlp(otlp.Collector(f"{collector.url}/v1/logs", **options))


def test_records_arrive_as_opentelemetry_has_them(collector):
    made = destination(collector, headers={"X-Token": "s3cret"}, service_name="shop")
    made.deliver(deque([Entry("a line", ERROR, 1_700_000_000.25, FIELDS, "ab" * 16, "cd" * 8), Entry("x", INFO, 0.0)]))
    made.close()
    first, second = collector.records
    assert first.body.string_value == "a line"
    assert (first.severity_number, first.severity_text) == (17, "ERROR")
    assert first.time_unix_nano == 1_700_000_000_250_000_000
    assert (first.trace_id.hex(), first.span_id.hex()) == ("ab" * 16, "cd" * 8)
    attributes = {one.key: one.value for one in first.attributes}
    assert attributes["url.original"].string_value == "/a"
    assert attributes["http.response.status_code"].int_value == 503
    assert attributes["duration"].double_value == 0.5
    assert (second.severity_number, second.trace_id) == (9, b"")
    (resource,) = collector.requests[0].resource_logs
    assert resource.resource.attributes[0].value.string_value == "shop"
    path, head = collector.heads[0]
    assert path == "/v1/logs"
    assert (head["Content-Type"], head["X-Token"]) == ("application/x-protobuf", "s3cret")


def test_what_cannot_be_taken_now_is_sent_again(collector, caplog):
    collector.statuses = [503, 429]
    writer = LineWriter("otlp", destination(collector))
    writer.write(Entry("a line", INFO, 0.0))
    wait_for(lambda: collector.records)
    wait_for(lambda: len(caplog.records) == 2)
    asyncio.run(writer.close())
    assert [record.body.string_value for record in collector.records] == ["a line"]
    assert "the collector answers 503" in caplog.text
    assert writer.dropped == 0


def test_what_is_refused_for_good_is_counted_and_said_once(collector, caplog):
    collector.statuses = [400, 400]
    meter = Meter()
    writer = LineWriter("otlp", destination(collector), meter)
    for count in (1, 2):
        writer.write(Entry("bad", INFO, 0.0))
        wait_for(lambda count=count: writer.dropped == count)
    writer.write(Entry("good", INFO, 0.0))
    asyncio.run(writer.close())
    assert [record.body.string_value for record in collector.records] == ["good"]
    assert meter.counter(LINES, "otlp", "lost").value == 2
    assert caplog.text.count("the collector answers 400") == 1


def test_a_kept_connection_that_was_closed_is_opened_anew(collector):
    made = destination(collector)
    made.deliver(deque([Entry("one", INFO, 0.0)]))
    connection = made._connection
    assert connection is not None
    connection.sock.shutdown(socket.SHUT_RDWR)
    made.deliver(deque([Entry("two", INFO, 0.0)]))
    made.close()
    assert [record.body.string_value for record in collector.records] == ["one", "two"]


def test_a_collector_that_hangs_or_answers_nonsense_fails_in_time(monkeypatch):
    monkeypatch.setattr(otlp, "TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as hung:
        made = Otlp(otlp.Collector(f"http://127.0.0.1:{hung.getsockname()[1]}/v1/logs"))
        batch = deque([Entry("x", INFO, 0.0)])
        with pytest.raises(OSError, match="timed out"):
            made.deliver(batch)
        assert len(batch) == 1
        monkeypatch.setattr(otlp, "TIMEOUT", 5.0)
        hung.accept()[0].close()

        def answer() -> None:
            connection, _ = hung.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"nonsense\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(OSError, match="malformed"):
            made.deliver(batch)
        thread.join()
        made.close()
