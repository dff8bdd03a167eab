"""How the client connected."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder

PLACEHOLDER = Placeholder(
    "scheme", "`http` or `https`, as the client connected.", read=lambda exchange: exchange.client.scheme
)
