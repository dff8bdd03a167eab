"""The endpoint that `proxy` chose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgescript.declare.entries import Placeholder, Reader
from edgescript.http.exchange import Exchange


def _of_upstream(show: Callable[[Any], str]) -> Reader:
    def read(exchange: Exchange) -> str:
        return "" if exchange.upstream is None else show(exchange.upstream)

    return read


PLACEHOLDER = Placeholder(
    "upstream",
    "Of the endpoint that `proxy` chose, once it has: `{upstream.address}`, and `{upstream.latency}`, the seconds that it "
    "took to the head of its response (`{upstream.latency_ms}`: milliseconds).",
    members={
        "address": _of_upstream(lambda upstream: str(upstream.address)),
        "latency": _of_upstream(lambda upstream: f"{upstream.latency or 0:.6f}"),
        "latency_ms": _of_upstream(lambda upstream: f"{(upstream.latency or 0) * 1000:.3f}"),
    },
    of_response=True,
)
