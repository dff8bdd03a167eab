"""The directory of the path."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder

PLACEHOLDER = Placeholder(
    "dir",
    "The path up to its last slash, with it: `/a/` of `/a/b.html`.",
    read=lambda exchange: exchange.path[: exchange.path.rfind("/") + 1],
)
