"""Receivers of logs, in threads of their own."""

from __future__ import annotations

import contextlib
import gzip
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any


def wait_for(condition: Callable[[], object]) -> None:
    """What another thread does soon."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


class StreamReceiver:
    """
    Accepts connections, and keeps what comes on each.

    :param reads: without it, what comes is left where it is
    """

    def __init__(self, context: ssl.SSLContext | None = None, *, port: int = 0, reads: bool = True) -> None:
        self._context = context
        self._reads = reads
        self._listening = socket.create_server(("127.0.0.1", port))
        self._listening.settimeout(0.05)
        self.port = self._listening.getsockname()[1]
        self.received = b""
        self._connections: list[socket.socket] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.is_set():
            with contextlib.suppress(TimeoutError):
                self._connections.append(self._accepted())
                if self._reads:
                    self._read(self._connections[-1])

    def _accepted(self) -> socket.socket:
        made, _ = self._listening.accept()
        made.settimeout(5)
        if self._context is not None:
            try:
                made = self._context.wrap_socket(made, server_side=True)
            except OSError:
                made.close()
                raise TimeoutError from None
        return made

    def _read(self, connection: socket.socket) -> None:
        connection.settimeout(0.05)
        while not self._stopped.is_set():
            try:
                data = connection.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                return
            if not data:
                return
            self.received += data

    def messages(self) -> list[bytes]:
        """What was received, by counted octets (RFC 6587, 3.4.1)."""
        found, left = [], self.received
        while left:
            length, _, left = left.partition(b" ")
            found.append(left[: int(length)])
            left = left[int(length) :]
        return found

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
        self._listening.close()
        for connection in self._connections:
            connection.close()


class Collector:
    """An OTLP receiver, built on OpenTelemetry's own messages; answers `statuses` one after the other, and then 200."""

    def __init__(self) -> None:
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

        collector = self
        self.statuses: list[int] = []
        self.requests: list[Any] = []
        self.heads: list[tuple[str, dict[str, str]]] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 5

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = collector.statuses.pop(0) if collector.statuses else 200
                collector.heads.append((self.path, dict(self.headers)))
                if status == 200:
                    collector.requests.append(ExportLogsServiceRequest.FromString(gzip.decompress(body)))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                """Says nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def records(self) -> list[Any]:
        return [
            record
            for request in self.requests
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def certificate(folder: Path, name: str) -> tuple[str, str]:
    """A self-signed certificate for a host, and its key."""
    made, key = str(folder / f"{name}.pem"), str(folder / f"{name}.key")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run([*command, *names, "-keyout", key, "-out", made], check=True, capture_output=True)
    return made, key


has_openssl = shutil.which("openssl") is not None
