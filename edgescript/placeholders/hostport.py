"""Host and port as they were asked for."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder
from edgescript.http.exchange import Exchange


def _read(exchange: Exchange) -> str:
    return exchange.host if exchange.port is None else f"{exchange.host}:{exchange.port}"


PLACEHOLDER = Placeholder(
    "hostport", "The host that was asked for, with its port where the request names one.", read=_read
)
