"""What a client authenticates with, and where it went: copies are known as such, so that no log shows them either."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from edgescript.http.exchange import Exchange

#: Header fields that are credentials, whoever asks for them.
SECRET_FIELDS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})


class Credential(str):
    """A text with a credential in it, as a variable or capture keeps it."""

    __slots__ = ()


def secret_of(name: str) -> str | None:
    """The name of the header field whose value a placeholder gives, in whole or in part, if it is a credential."""
    parts = name.lower().split(".")
    if parts[0] == "cookie":
        return "cookie"
    if parts[0] in ("header", "resp") and parts[-1] in SECRET_FIELDS:
        return parts[-1]
    return None


def marking(names: Iterable[str], read: Callable[[Exchange], str]) -> Callable[[Exchange], str]:
    """
    A reader that tells credentials.

    :param names: the placeholders that it fills in
    """
    if any(secret_of(name) is not None for name in names):
        return lambda exchange: Credential(read(exchange))
    copies = [(kind == "vars", part) for kind, _, part in (name.partition(".") for name in names) if kind in _KEPT]
    if not copies:
        return read

    def read_marked(exchange: Exchange) -> str:
        text = read(exchange)
        for is_variable, part in copies:
            kept: dict[str, Any] | None = exchange.variables if is_variable else exchange.captures
            if kept is not None and kept.get(part).__class__ is Credential:
                return Credential(text)
        return text

    return read_marked


#: The placeholders that give what was kept before.
_KEPT = ("vars", "re")


def is_kept(name: str) -> bool:
    """Whether a placeholder gives what was kept before, which may be a credential or not."""
    return name.partition(".")[0] in _KEPT
