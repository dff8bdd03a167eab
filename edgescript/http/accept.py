"""Weighted lists (RFC 9110 12.4.2), as in Accept and Accept-Encoding."""

from __future__ import annotations

import re
from collections.abc import Iterable

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
