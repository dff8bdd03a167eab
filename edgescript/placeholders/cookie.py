"""A cookie of the request."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder, Reader
from edgescript.http.exchange import Exchange
from edgescript.placeholders._text import text


def _cookie(part: str) -> Reader:
    wanted = part.encode()

    def read(exchange: Exchange) -> str:
        for field, value in exchange.headers:
            if field == b"cookie":
                for pair in value.split(b";"):
                    name, _, content = pair.strip().partition(b"=")
                    if name == wanted:
                        return text(_without_quotes(content))
        return ""

    return read


def _without_quotes(value: bytes) -> bytes:
    return value[1:-1] if len(value) > 1 and value[:1] == value[-1:] == b'"' else value


PLACEHOLDER = Placeholder(
    "cookie",
    "`{cookie.NAME}` is the value of a cookie of the request.",
    member=_cookie,
    sample="session",
    from_client="parts",
)
