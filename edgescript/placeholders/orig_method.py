"""The method as it came."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder

PLACEHOLDER = Placeholder(
    "orig_method",
    "The method as the client sent it, whatever `method` has changed since.",
    read=lambda exchange: exchange.original_method.decode("latin-1"),
)
