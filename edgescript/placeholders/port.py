"""The port that was asked for."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder
from edgescript.http.exchange import Exchange


def _read(exchange: Exchange) -> str:
    if exchange.port is not None:
        return str(exchange.port)
    return "443" if exchange.client.scheme == "https" else "80"


PLACEHOLDER = Placeholder(
    "port", "The port that was asked for; the scheme's own where the request names none.", read=_read
)
