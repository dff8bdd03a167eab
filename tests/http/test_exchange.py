"""The request as everything below the server sees it."""

from __future__ import annotations

from typing import Any

import pytest

from edgescript.http.exchange import Exchange


@pytest.mark.parametrize(
    ("method", "target", "asked"),
    [
        (b"GET", b"/a%20b?token=secret", "GET /a%20b"),
        (b"PUT", b"http://example.com?token=secret", "PUT /"),
        (b"OPTIONS", b"*", "OPTIONS *"),
    ],
)
def test_what_was_asked_for_is_said_without_the_query(method: bytes, target: bytes, asked: str) -> None:
    client: Any = None
    assert Exchange(client, method, target, "1.1", [(b"host", b"a")], b"", 0.0).asked == asked
