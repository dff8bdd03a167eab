"""Path and query as they came."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder
from edgescript.http.exchange import Exchange
from edgescript.http.target import split
from edgescript.placeholders._text import text


def _read(exchange: Exchange) -> str:
    _, path, query = split(exchange.target)
    return text(path if query is None else path + b"?" + query)


PLACEHOLDER = Placeholder(
    "orig_uri", "Path and query as the client sent them, whatever was rewritten since.", read=_read
)
