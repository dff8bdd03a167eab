"""The path, and its segments."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder, Reader
from edgescript.http.exchange import Exchange
from edgescript.placeholders._text import item, number


def _segments(exchange: Exchange) -> list[str]:
    return exchange.path.strip("/").split("/")


def _segment(part: str) -> Reader:
    return item(_segments, number(part, "segment"))


PLACEHOLDER = Placeholder(
    "path",
    "The decoded path, without `.`, `..` and empty segments; `{path.0}` is its first segment.",
    read=lambda exchange: exchange.path,
    member=_segment,
    sample="0",
    from_client="parts",
)
