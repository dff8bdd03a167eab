"""The peer's port."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder

PLACEHOLDER = Placeholder(
    "remote_port", "The port of the peer that connected.", read=lambda exchange: str(exchange.client.remote_port)
)
