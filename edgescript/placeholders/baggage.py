"""What a trace carries with it."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder, Reader
from edgescript.http.exchange import Exchange
from edgescript.http.headers import combined
from edgescript.observe.tracing.propagation import baggage


def _member(part: str) -> Reader:
    def read(exchange: Exchange) -> str:
        return baggage(combined(exchange.headers, b"baggage")).get(part, "")

    return read


PLACEHOLDER = Placeholder(
    "baggage",
    "`{baggage.NAME}` is a member of the request's `Baggage` field (W3C), decoded.",
    member=_member,
    sample="tenant",
    from_client="parts",
)
