"""The response."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder, Reader
from edgescript.http.exchange import Exchange
from edgescript.http.headers import combined
from edgescript.placeholders._text import text


def _status(exchange: Exchange) -> str:
    return "" if exchange.response is None else str(exchange.response.status)


def _member(part: str) -> Reader:
    kind, _, name = part.partition(".")
    if kind != "header" or not name:
        raise ValueError('there are "resp.status" and "resp.header.NAME"')
    field = name.lower().encode()

    def read(exchange: Exchange) -> str:
        return "" if exchange.response is None else text(combined(exchange.response.headers, field))

    return read


PLACEHOLDER = Placeholder(
    "resp",
    "`{resp.header.NAME}` is a header field of the response, and `{resp.status}` its status, once there is one.",
    member=_member,
    members={"status": _status, "status_code": _status},
    sample="header.Content-Type",
    of_response=True,
)
