"""Path and query."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder
from edgescript.placeholders._text import text

PLACEHOLDER = Placeholder(
    "uri",
    "Path and query, encoded as they came or as a rewrite made them.",
    read=lambda exchange: text(exchange.uri),
)
