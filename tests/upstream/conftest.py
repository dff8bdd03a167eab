"""Questions to a server, as raw bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def ask() -> Callable[..., bytes]:
    """`ask(server, method="GET", target="/", fields=b"", body=b"")` gives all that is answered until the server closes."""

    def asked(server: Any, method: str = "GET", target: str = "/", fields: bytes = b"", body: bytes = b"") -> bytes:
        head = f"{method} {target} HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n".encode()
        pieces = []
        with server.connect() as client:
            client.sendall(head + fields + b"\r\n" + body)
            try:
                while piece := client.recv(65536):
                    pieces.append(piece)
            except ConnectionResetError:
                pieces.append(b"<reset>")
        return b"".join(pieces)

    return asked
