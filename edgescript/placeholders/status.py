"""The response's status."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder
from edgescript.http.exchange import Exchange


def _read(exchange: Exchange) -> str:
    return "" if exchange.response is None else str(exchange.response.status)


PLACEHOLDER = Placeholder("status", "The status of the response, once there is one.", read=_read, of_response=True)
