"""The first two words of `respond` and `error`: a status, a text, or both."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from edgescript.declare.entries import Complaint
from edgescript.declare.kinds import Template
from edgescript.http.exchange import Exchange
from edgescript.http.message import HTTPError

_STATUS = re.compile(r"[1-5][0-9]{2}")
_NUMBER = re.compile(r"[0-9]{3}")


def sort(status: Template | None, text: Template | None) -> tuple[Template | None, Template | None]:
    """
    Which word is the status and which the text.

    A word alone is a status if it is a number of three digits. Of two the first is, or as in Caddy the second, where only
    that can be one.
    """
    if status is not None and text is not None and _NUMBER.fullmatch(text.constant or ""):
        return (
            (text, status) if status.constant is not None and not _NUMBER.fullmatch(status.constant) else (status, text)
        )
    if status is None or text is not None or _NUMBER.fullmatch(status.constant or ""):
        return status, text
    return None, status


def complaint_of(status: Template | None, least: int) -> Iterator[Complaint]:
    """What is wrong with a status as written."""
    if status is None or status.constant is None:
        return
    if _STATUS.fullmatch(status.constant) is None:
        is_word = not status.constant.isdigit() and " " not in status.constant
        hint = "quote the text if it has spaces" if is_word else None
        yield Complaint("status", f'expected a status code such as 404, not "{status.constant}"', hint, "E106")
    elif int(status.constant) < least:
        yield Complaint("status", f"a status here is at least {least}", None, "E106")


def reader(status: Template | None, default: int | None) -> Callable[[Exchange], int]:
    """
    Gives the status for an exchange; what a placeholder gives must be one.

    Without a status it is `default`; where that is None, it is 200, inside `handle_errors` that of the error, as in Caddy, and
    inside `intercept` that of the response.
    """
    if status is None:
        return _of_answer if default is None else lambda exchange: default
    if status.constant is not None:
        constant = int(status.constant)
        return lambda exchange: constant
    read = status.read

    def read_status(exchange: Exchange) -> int:
        text = read(exchange)
        if _STATUS.fullmatch(text) is None or int(text) < 200:
            raise HTTPError(500, f"{text!r} is no status")
        return int(text)

    return read_status


def _of_answer(exchange: Exchange) -> int:
    return status_in_place(exchange) or 200


def status_in_place(exchange: Exchange) -> int | None:
    """The status of the error or response in whose place something is answered; None for a request's own answer."""
    if exchange.intercepted is not None:
        return exchange.intercepted.status
    return None if exchange.error is None else exchange.error.status
