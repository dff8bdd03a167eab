"""The error that is being answered."""

from __future__ import annotations

from collections.abc import Callable

from edgescript.declare.entries import Placeholder, Reader
from edgescript.http.exchange import Exchange
from edgescript.http.message import REASONS, HTTPError


def _of_error(show: Callable[[HTTPError], str]) -> Reader:
    def read(exchange: Exchange) -> str:
        return "" if exchange.error is None else show(exchange.error)

    return read


_STATUS = _of_error(lambda error: str(error.status))

PLACEHOLDER = Placeholder(
    "err",
    "Inside `handle_errors`: `{err.status}` is the error's status, `{err.status_text}` that in words, and "
    "`{err.message}` what went wrong.",
    members={
        "status": _STATUS,
        "status_code": _STATUS,
        "status_text": _of_error(lambda error: REASONS.get(error.status, "")),
        "message": _of_error(lambda error: error.reason),
    },
)
