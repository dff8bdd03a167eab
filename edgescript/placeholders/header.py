"""A header field of the request."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder, Reader
from edgescript.http.headers import combined
from edgescript.placeholders._text import text


def _field(part: str) -> Reader:
    name = part.lower().encode()
    return lambda exchange: text(combined(exchange.headers, name))


PLACEHOLDER = Placeholder(
    "header",
    "`{header.NAME}` is a header field of the request. Several lines are joined by commas.",
    member=_field,
    sample="User-Agent",
    from_client="parts",
)
