"""Regular expressions whose groups the directives below may use."""

from __future__ import annotations

import re
from collections.abc import Callable

from edgescript.http.exchange import Exchange


def regexp_complaint(pattern: str) -> str | None:
    """What is wrong with a regular expression, or None."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"the regular expression is malformed: {error}"
    return None


def capturing(
    pattern: str, name: str | None, *, make: Callable[[str], str] | None = None
) -> Callable[[Exchange, str], bool]:
    """
    A search that keeps what the groups caught in `exchange.captures`.

    Group 1 is "1", and with a name also "NAME.1"; 0 is all that was found; named groups go by their names as well.

    :param make: makes what is kept of what was caught
    """
    regexp = re.compile(pattern)
    keys = [*((str(number), number) for number in range(regexp.groups + 1)), *regexp.groupindex.items()]
    if name is not None:
        keys += [(f"{name}.{key}", number) for key, number in keys]
    search = regexp.search

    def capture(exchange: Exchange, text: str) -> bool:
        found = search(text)
        if found is None:
            return False
        if exchange.captures is None:
            exchange.captures = {}
        for key, number in keys:
            caught = found[number] or ""
            exchange.captures[key] = caught if make is None else make(caught)
        return True

    return capture
