"""The peer's address."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder

PLACEHOLDER = Placeholder(
    "remote_ip",
    "The address of the peer that connected, which may be a proxy.",
    read=lambda exchange: exchange.client.remote_ip,
    elsewhere=("remote_host", "remote.host"),
)
