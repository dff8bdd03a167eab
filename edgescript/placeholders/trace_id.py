"""The request's place in a trace."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder
from edgescript.http.exchange import Exchange


def _read(exchange: Exchange) -> str:
    return "" if exchange.span is None else exchange.span.trace_id


PLACEHOLDER = Placeholder(
    "trace_id",
    "The trace that the request belongs to: 32 hexadecimal digits, and nothing above `trace`.",
    read=_read,
)
