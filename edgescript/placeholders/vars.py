"""A variable of the request."""

from __future__ import annotations

from edgescript.declare.entries import Placeholder, Reader
from edgescript.http.exchange import Exchange


def _variable(part: str) -> Reader:
    def read(exchange: Exchange) -> str:
        if part == "root" and exchange.root is not None:
            return exchange.root
        value = None if exchange.variables is None else exchange.variables.get(part)
        return value if isinstance(value, str) else _shown(value)

    return read


def _shown(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


PLACEHOLDER = Placeholder(
    "vars",
    "`{vars.NAME}` is a variable that `vars` or `map` has set; `{vars.root}` is the directory that `root` has set.",
    member=_variable,
    sample="tenant",
)
