"""The path as it came."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder
from edgescript.http.target import decode, split

PLACEHOLDER = Placeholder(
    "orig_path",
    "The decoded path that the client asked for, whatever was rewritten since.",
    read=lambda exchange: decode(split(exchange.target)[1]),
)
