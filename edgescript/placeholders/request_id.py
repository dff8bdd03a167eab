"""A name for the request."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder

PLACEHOLDER = Placeholder(
    "request_id",
    "A random name (UUID) for this request, the same wherever it is used, the log included.",
    read=lambda exchange: exchange.request_id,
)
