"""A label of the host."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder, Reader
from edgescript.http.exchange import Exchange
from edgescript.placeholders._text import item, number


def _labels(exchange: Exchange) -> list[str]:
    return exchange.host.split(".")[::-1]


def _label(part: str) -> Reader:
    return item(_labels, number(part, "label"))


PLACEHOLDER = Placeholder(
    "labels",
    "`{labels.N}` is a label of the host, counted from the right: `{labels.2}` of `shop.example.com` is `shop`.",
    member=_label,
    sample="2",
)
