"""The response."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder, Reader
from edgescript.http.exchange import Exchange
from edgescript.http.headers import combined
from edgescript.placeholders._text import text


def _status(exchange: Exchange) -> str:
    return "" if exchange.response is None else str(exchange.response.status)


def _size(exchange: Exchange) -> str:
    return str(exchange.sent)


def _duration(exchange: Exchange) -> str:
    return f"{exchange.duration:.3f}"


def _duration_ms(exchange: Exchange) -> str:
    return f"{exchange.duration * 1000:.3f}"


def _member(part: str) -> Reader:
    kind, _, name = part.partition(".")
    if kind != "header" or not name:
        raise ValueError('there are "resp.status", "resp.header.NAME", "resp.size" and "resp.duration"')
    field = name.lower().encode()

    def read(exchange: Exchange) -> str:
        return "" if exchange.response is None else text(combined(exchange.response.headers, field))

    return read


PLACEHOLDER = Placeholder(
    "resp",
    "`{resp.header.NAME}` is a header field of the response, and `{resp.status}` its status, once there is one. In lines of "
    "logs, `{resp.size}` is how many bytes of body were sent, and `{resp.duration}` how many seconds all took, "
    "`{resp.duration_ms}` milliseconds.",
    member=_member,
    members={
        "status": _status,
        "status_code": _status,
        "size": _size,
        "duration": _duration,
        "duration_ms": _duration_ms,
    },
    sample="header.Content-Type",
    of_response=True,
)
