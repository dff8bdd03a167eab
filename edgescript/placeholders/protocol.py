"""The version of HTTP."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder

PLACEHOLDER = Placeholder(
    "protocol",
    "The version of HTTP that the client speaks: `HTTP/1.1`.",
    read=lambda exchange: f"HTTP/{exchange.version}",
)
