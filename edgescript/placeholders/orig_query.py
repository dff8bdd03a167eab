"""The query as it came."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder
from edgescript.http.target import split
from edgescript.placeholders._text import text

PLACEHOLDER = Placeholder(
    "orig_query",
    "The query as the client sent it, whatever was rewritten since.",
    read=lambda exchange: text(split(exchange.target)[2]),
)
