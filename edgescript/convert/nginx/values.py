"""nginx's times, sizes and networks as the Edgefile writes them."""

from __future__ import annotations

import ipaddress
import re

_SIZE = re.compile(r"(\d+)([kKmMgG]?)")
_UNITS = {"": "", "k": "KiB", "m": "MiB", "g": "GiB"}
_TIME = re.compile(r"(\d+)(ms|[smhdwMy]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "y": 31536000}


def size(text: str) -> str | None:
    """`10m` as `10MiB`; None if it is no size."""
    found = _SIZE.fullmatch(text)
    return None if found is None else f"{int(found[1])}{_UNITS[found[2].lower()]}"


def seconds(text: str) -> float | None:
    """`1h 30m` in seconds; None if it is no time."""
    if not re.fullmatch(r"(\s*\d+(ms|[smhdwMy]?))+\s*", text):
        return None
    parts = _TIME.findall(text)
    return sum(int(number) / 1000 if unit == "ms" else int(number) * _SECONDS[unit] for number, unit in parts)


def duration(text: str) -> str | None:
    """`1d` or `60` as `1d` or `1m`; None if it is no time."""
    number = seconds(text)
    if number is None:
        return None
    if number != int(number):
        return f"{round(number * 1000)}ms"
    whole = int(number)
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if whole and whole % length == 0:
            return f"{whole // length}{unit}"
    return f"{whole}s"


def is_network(text: str) -> bool:
    """Whether a text is an address or a network."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
