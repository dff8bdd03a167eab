"""The request's place in a trace."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder
from edgescript.http.exchange import Exchange


def _read(exchange: Exchange) -> str:
    return "" if exchange.span is None else exchange.span.span_id


PLACEHOLDER = Placeholder(
    "span_id",
    "The span of the request in its trace: 16 hexadecimal digits, and nothing above `trace`.",
    read=_read,
)
