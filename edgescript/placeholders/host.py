"""The host that was asked for."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder

PLACEHOLDER = Placeholder(
    "host",
    "The host that was asked for, in lower case and without the port.",
    read=lambda exchange: exchange.host,
)
