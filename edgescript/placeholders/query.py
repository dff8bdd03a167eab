"""The query, and its parameters."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder, Reader
from edgescript.placeholders._text import query_values, text


def _parameter(part: str) -> Reader:
    name = part.encode()
    return lambda exchange: text(b",".join(query_values(exchange.query, name))) if exchange.query else ""


PLACEHOLDER = Placeholder(
    "query",
    "The query, without its `?`, encoded as it came; `{query.NAME}` is one parameter, decoded. "
    "Several values are joined by commas.",
    read=lambda exchange: text(exchange.query),
    member=_parameter,
    sample="page",
    from_client="all",
)
