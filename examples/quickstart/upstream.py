"""A small application to put behind a proxy: it answers with what it was asked."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Application(BaseHTTPRequestHandler):
    """Says hello, and tells what the request looked like when it arrived here."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        name = parse_qs(url.query).get("name", ["world"])[0]
        seen = {"hello": name, "path": url.path, "headers": dict(self.headers.items())}
        body = json.dumps(seen, indent=2).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """The server in front has the log."""


def serve(port: int) -> ThreadingHTTPServer:
    """The application, listening on a loopback port."""
    return ThreadingHTTPServer(("127.0.0.1", port), Application)


if __name__ == "__main__":
    serve(int(sys.argv[1]) if len(sys.argv) > 1 else 9000).serve_forever()
