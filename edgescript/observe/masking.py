"""What makes values of a line safe to keep: functions of texts.

An address that is masked still says from which network somebody comes. A hash still says that two lines are of the same user;
without a key of one's own, whoever can guess a value can also see that it was guessed right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network
from typing import Literal
from urllib.parse import unquote_plus

#: Stands for what is never written.
REDACTED = "REDACTED"

Change = Callable[[str], str]
How = Literal["drop", "hash", "replace"]

_ADDRESS = re.compile(r"[0-9A-Fa-f:.]*[:.][0-9A-Fa-f:.]*")
#: A parameter with what divides it from the one before. A value reaches to the next `&`, whatever is in it, so that no rest
#: of a secret is left.
_PARAMETER = re.compile(r"(?P<before>[?&]|\A)(?P<name>[^?&=]*)(?P<rest>=(?P<value>[^&]*))?")


def ip_mask(ipv4: int = 24, ipv6: int = 48) -> Change:
    """Keeps so many bits of an address; of a text with several, or with ports, of each."""

    # A site has fewer clients at a time than this, and parsing an address takes several µs.
    @lru_cache(4096)
    def masked(text: str) -> str:
        return _ADDRESS.sub(lambda found: _masked(found[0], ipv4, ipv6), text)

    return masked


def _masked(text: str, ipv4: int, ipv6: int) -> str:
    bits = ipv6 if text.count(":") > 1 else ipv4
    address, colon, port = (text, "", "") if bits is ipv6 else text.partition(":")
    try:
        network = ip_network(f"{address}/{ipv6 if ':' in address else ipv4}", strict=False)
    except ValueError:
        return text
    return f"{network.network_address}{colon}{port}"


def hasher(key: str = "") -> Change:
    """16 hexadecimal digits for a text, the same for the same text; nothing for nothing."""
    import hashlib
    import hmac

    def hashed(text: str) -> str:
        if not text:
            return text
        data = text.encode("utf-8", "surrogateescape")
        if key:
            return hmac.new(key.encode(), data, hashlib.sha256).hexdigest()[:16]
        return hashlib.sha256(data).hexdigest()[:16]

    return hashed


@dataclass(frozen=True, slots=True)
class Query:
    """What happens to parameters of queries, by their decoded names."""

    how: Mapping[str, How]
    hashed: Change
    replacement: str = REDACTED

    def __call__(self, uri: str) -> str:
        """A URI, or a text with one, without what nobody shall see."""
        question = uri.find("?")
        if question < 0:
            return uri
        return uri[:question] + self.of_query(uri[question:])

    def of_query(self, query: str) -> str:
        """The same for a query, with its `?` or without."""
        kept = _PARAMETER.sub(self._parameter, query)
        # What follows a dropped first parameter begins with `&`.
        lead = "?" if query.startswith("?") else ""
        return lead + kept.lstrip("?&") if kept.lstrip("?&") else ""

    def of_value(self, name: str, value: str) -> str:
        """The value of one parameter."""
        how = self.how.get(name)
        if how is None or not value:
            return value
        return {"drop": "", "hash": self.hashed(value), "replace": self.replacement}[how]

    def _parameter(self, found: re.Match[str]) -> str:
        how = self.how.get(unquote_plus(found["name"]))
        if how is None:
            return found[0]
        if how == "drop":
            return ""
        value = self.hashed(unquote_plus(found["value"] or "")) if how == "hash" else self.replacement
        return f"{found['before']}{found['name']}={value}"


@dataclass(frozen=True, slots=True)
class Cookies:
    """The cookies of a `Cookie` or `Set-Cookie` field: names stay, values are hashed or redacted, or both are dropped."""

    how: Mapping[str, How]
    hashed: Change

    def __call__(self, field: str) -> str:
        shown = []
        for cookie in field.split(";"):
            name, equals, value = cookie.strip().partition("=")
            how = self.how.get(name)
            if how != "drop" and (name or value):
                shown.append(f"{name}={self.hashed(value) if how == 'hash' else REDACTED}" if equals else REDACTED)
        return "; ".join(shown)
