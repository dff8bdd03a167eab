"""Weighted lists (RFC 9110 12.4.2), as in Accept and Accept-Encoding, and what the second of them asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from edgescript.http.headers import elements

_WEIGHT = re.compile(rb"[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*", re.IGNORECASE)


def weights(values: Iterable[bytes]) -> dict[bytes, float]:
    """
    What is listed, in lower case without parameters, with the weight of each; the first of equals counts.

    A malformed weight is 0: what nobody can read is not wanted.
    """
    listed: dict[bytes, float] = {}
    for element in elements(values):
        name, *parameters = element.split(b";")
        listed.setdefault(name.strip(b" \t").lower(), _weight(parameters))
    return listed


def _weight(parameters: list[bytes]) -> float:
    for parameter in parameters:
        if parameter.strip(b" \t")[:2].lower() == b"q=":
            match = _WEIGHT.fullmatch(parameter)
            return float(match[1]) if match else 0.0
    return 1.0


# ---- content codings (RFC 9110 12.5.3)

#: Other names of a coding (RFC 9110 8.4.1.3).
_ALIASES = {"gzip": b"x-gzip"}


def codings(accept_encoding: Iterable[bytes], offered: Sequence[str], *, by_client: bool = True) -> list[str]:
    """
    The codings to answer with, best first: by the client's weights, equals in the order offered.

    Without the field a client takes anything, but old ones that say nothing understand nothing: none is tried. A coding
    that the client wants less than the plain content is not tried either.

    :param by_client: False: in the order offered, whatever the weights, as long as the client takes it
    """
    listed = weights(accept_encoding)
    if not listed:
        return []
    plain = listed.get(b"identity", 0.0)
    wanted = [(_weight_of(listed, coding), coding) for coding in offered]
    ranked = sorted(wanted, key=lambda pair: -pair[0]) if by_client else wanted
    return [coding for weight, coding in ranked if weight > 0 and weight >= plain]


def refuses_identity(accept_encoding: Iterable[bytes]) -> bool:
    """Whether a client does not want the content as it is: `identity;q=0`, or `*;q=0` without a word about it."""
    listed = weights(accept_encoding)
    return listed.get(b"identity", listed.get(b"*", 1.0)) == 0


def _weight_of(listed: dict[bytes, float], coding: str) -> float:
    alias = _ALIASES.get(coding, b"")
    return listed.get(coding.encode("ascii"), listed.get(alias, listed.get(b"*", 0.0)))
