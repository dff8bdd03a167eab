"""What a regular expression caught."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder, Reader
from edgescript.http.exchange import Exchange


def _group(part: str) -> Reader:
    def read(exchange: Exchange) -> str:
        captures = exchange.captures
        return "" if captures is None else captures.get(part, "")

    return read


PLACEHOLDER = Placeholder(
    "re",
    "`{re.NAME.GROUP}` is what a group of the regular expression NAME caught; `{re.GROUP}` that of the last one that "
    "matched. Groups have numbers or names; 0 is all that was found.",
    member=_group,
    sample="1",
)
