"""Logs to a collector by OTLP over HTTP, in OpenTelemetry's own messages.

https://opentelemetry.io/docs/specs/otlp/#otlphttp. The messages' library is imported when there is something to send. What a
collector refuses for good (400) is dropped; what it cannot take now (429, 502, 503, 504) is sent again.
"""

from __future__ import annotations

import gzip
import http.client
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from edgescript.observe.entry import CRITICAL, DEBUG, ERROR, INFO, WARNING, Entry
from edgescript.observe.writer import Rejected

if TYPE_CHECKING:
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

#: Seconds for one request.
TIMEOUT = 10.0
_AGAIN = (429, 502, 503, 504)
_MOST_OF_AN_ANSWER = 64 * 1024
#: Numbers and names of https://opentelemetry.io/docs/specs/otel/logs/data-model/#severity-fields.
_SEVERITIES = {
    CRITICAL: (21, "FATAL"),
    ERROR: (17, "ERROR"),
    WARNING: (13, "WARN"),
    INFO: (9, "INFO"),
    DEBUG: (5, "DEBUG"),
}
#: OpenTelemetry's names for what it has a name for.
ATTRIBUTES = {
    "client_ip": "client.address",
    "method": "http.request.method",
    "host": "server.address",
    "uri": "url.original",
    "protocol": "network.protocol.version",
    "status": "http.response.status_code",
    "size": "http.response.body.size",
    "user_agent": "user_agent.original",
    "referer": "http.request.header.referer",
    "upstream": "upstream.address",
    "error": "error.message",
}


@dataclass(frozen=True, slots=True)
class Collector:
    """Where records are sent, and as whose."""

    #: Complete, with its path (`/v1/logs`).
    url: str
    #: They may hold credentials.
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    service_name: str = "edge"
    trust_file: str | None = None


class Refused(OSError):
    """The collector does not take records now."""


def request_of(batch: deque[Entry], service_name: str) -> ExportLogsServiceRequest:
    """The message that carries some entries."""
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    _attribute(resource.resource.attributes, "service.name", service_name)
    scope = resource.scope_logs.add()
    scope.scope.name = "edgescript"
    for entry in batch:
        record = scope.log_records.add()
        record.time_unix_nano = record.observed_time_unix_nano = round(entry.when * 1_000_000) * 1000
        record.severity_number, record.severity_text = _SEVERITIES.get(entry.severity, _SEVERITIES[INFO])
        record.body.string_value = entry.text.encode("utf-8", "replace").decode()
        for name, value, is_number in entry.fields:
            _attribute(record.attributes, ATTRIBUTES.get(name, name), value, is_number)
        if entry.trace_id:
            record.trace_id = bytes.fromhex(entry.trace_id)
            record.span_id = bytes.fromhex(entry.span_id)
    return request


def _attribute(attributes: Any, name: str, value: str, is_number: bool = False) -> None:
    attribute = attributes.add()
    attribute.key = name
    if not is_number:
        attribute.value.string_value = value.encode("utf-8", "replace").decode()
    elif "." in value:
        attribute.value.double_value = float(value)
    else:
        attribute.value.int_value = int(value)


class Otlp:
    """A collector as a destination of entries."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._connection: http.client.HTTPConnection | None = None

    def deliver(self, batch: deque[Entry]) -> None:
        body = gzip.compress(request_of(batch, self._collector.service_name).SerializeToString(), 1)
        try:
            status = self._post(body)
        except http.client.HTTPException as error:
            self.close()
            raise OSError(f"the collector's answer is malformed: {type(error).__name__}") from error
        except OSError:
            self.close()
            raise
        if status in _AGAIN:
            raise Refused(f"the collector answers {status}")
        if status // 100 != 2:
            raise Rejected(f"the collector answers {status}")
        batch.clear()

    def _post(self, body: bytes) -> int:
        url = urlsplit(self._collector.url)
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        headers = {
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "gzip",
            **dict(self._collector.headers),
        }
        is_kept = self._connection is not None
        connection = self._connected()
        try:
            connection.request("POST", target, body, headers)
            response = connection.getresponse()
        except (ConnectionError, http.client.RemoteDisconnected):
            if not is_kept:
                raise
            # A kept connection may have been closed since: once more on a new one.
            self.close()
            connection = self._connected()
            connection.request("POST", target, body, headers)
            response = connection.getresponse()
        response.read(_MOST_OF_AN_ANSWER)
        if not response.isclosed():
            self.close()
        return response.status

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            url = urlsplit(self._collector.url)
            assert url.hostname is not None
            if url.scheme == "https":
                import ssl

                context = ssl.create_default_context(cafile=self._collector.trust_file)
                self._connection = http.client.HTTPSConnection(url.hostname, url.port, timeout=TIMEOUT, context=context)
            else:
                self._connection = http.client.HTTPConnection(url.hostname, url.port, timeout=TIMEOUT)
        return self._connection

    def reopen(self) -> None:
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
