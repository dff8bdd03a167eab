"""The client's address."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder

PLACEHOLDER = Placeholder(
    "client_ip",
    "The client's address: the peer's own, or the one that a trusted proxy reports.",
    read=lambda exchange: exchange.client_ip,
    relies_on=("trusted_proxies",),
)
