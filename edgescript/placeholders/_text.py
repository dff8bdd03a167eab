"""Bytes of a request as text, so that encoding it again gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from edgescript.declare.entries import Reader
from edgescript.http.exchange import Exchange


def text(value: bytes | None) -> str:
    """UTF-8; bytes that are none are kept as surrogate escapes, as in `Exchange.path`. Nothing is the empty text."""
    return "" if value is None else value.decode("utf-8", "surrogateescape")


def unquoted(value: bytes) -> bytes:
    """A name or value of a query, decoded; `+` is a space there. A malformed escape stands for itself."""
    return unquote_to_bytes(value.replace(b"+", b" "))


def query_values(query: bytes | None, name: bytes) -> list[bytes]:
    """The decoded values of a query's parameter `name`, in order."""
    values = []
    for pair in (query or b"").split(b"&"):
        key, _, value = pair.partition(b"=")
        if (key == name or unquoted(key) == name) and pair:
            values.append(unquoted(value) if b"%" in value or b"+" in value else value)
    return values


def number(part: str, what: str) -> int:
    """
    A position written as a part of a placeholder: `{path.0}`.

    :raises ValueError: if it is none
    """
    if not (part.isascii() and part.isdigit() and len(part) < 4):
        raise ValueError(f"expected the number of a {what}, counted from 0")
    return int(part)


def item(items: Callable[[Exchange], list[str]], index: int) -> Reader:
    """Reads one of several texts; the empty text where there are fewer."""

    def read(exchange: Exchange) -> str:
        found = items(exchange)
        return found[index] if index < len(found) else ""

    return read
