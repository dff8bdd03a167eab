"""The request's method."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder

PLACEHOLDER = Placeholder(
    "method", "The request's method: `GET`.", read=lambda exchange: exchange.method.decode("latin-1")
)
