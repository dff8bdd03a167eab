"""What an expression may call: each function and method with the types that it takes and gives.

Nothing here can be made to run long or to fill memory by what a request says: there is no repetition, no formatting, and
replacing has a limit.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Characters that a replacement may come to.
MAX_TEXT = 1024 * 1024

#: RFC 1918, RFC 4193 and loopback: what Caddy's `private_ranges` stands for.
PRIVATE_RANGES = ("192.168.0.0/16", "172.16.0.0/12", "10.0.0.0/8", "127.0.0.1/8", "fd00::/8", "::1/128")


class Type(Enum):
    """What is known about a value before there is one."""

    TEXT = "a text"
    NUMBER = "a number"
    BOOLEAN = "a truth value"
    LIST = "a list"
    ANY = "a value"


class Function(NamedTuple):
    """Something callable: what it takes (of which the last `optional` may be left out), and what it gives."""

    run: Callable[..., Any]
    takes: tuple[Type, ...]
    gives: Type
    optional: int = 0


def _replace(text: str, old: str, new: str) -> str:
    if len(text) + text.count(old) * len(new) > MAX_TEXT:
        raise ValueError("the replacement is too long")
    return text.replace(old, new)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


_TEXT, _NUMBER, _BOOLEAN, _LIST, _ANY = Type.TEXT, Type.NUMBER, Type.BOOLEAN, Type.LIST, Type.ANY

FUNCTIONS: dict[str, Function] = {
    "int": Function(int, (_ANY,), _NUMBER),
    "float": Function(float, (_ANY,), _NUMBER),
    "str": Function(_text, (_ANY,), _TEXT),
    "bool": Function(bool, (_ANY,), _BOOLEAN),
    "len": Function(len, (_ANY,), _NUMBER),
    "lower": Function(str.lower, (_TEXT,), _TEXT),
    "upper": Function(str.upper, (_TEXT,), _TEXT),
}

METHODS: dict[str, Function] = {
    "startswith": Function(str.startswith, (_TEXT, _ANY), _BOOLEAN),
    "endswith": Function(str.endswith, (_TEXT, _ANY), _BOOLEAN),
    "lower": Function(str.lower, (_TEXT,), _TEXT),
    "upper": Function(str.upper, (_TEXT,), _TEXT),
    "casefold": Function(str.casefold, (_TEXT,), _TEXT),
    "strip": Function(str.strip, (_TEXT, _TEXT), _TEXT, 1),
    "lstrip": Function(str.lstrip, (_TEXT, _TEXT), _TEXT, 1),
    "rstrip": Function(str.rstrip, (_TEXT, _TEXT), _TEXT, 1),
    "removeprefix": Function(str.removeprefix, (_TEXT, _TEXT), _TEXT),
    "removesuffix": Function(str.removesuffix, (_TEXT, _TEXT), _TEXT),
    "replace": Function(_replace, (_TEXT, _TEXT, _TEXT), _TEXT),
    "split": Function(str.split, (_TEXT, _TEXT), _LIST, 1),
    "count": Function(str.count, (_TEXT, _TEXT), _NUMBER),
    "find": Function(str.find, (_TEXT, _TEXT), _NUMBER),
    "isdigit": Function(str.isdigit, (_TEXT,), _BOOLEAN),
    "isdecimal": Function(str.isdecimal, (_TEXT,), _BOOLEAN),
    "isalpha": Function(str.isalpha, (_TEXT,), _BOOLEAN),
    "isalnum": Function(str.isalnum, (_TEXT,), _BOOLEAN),
    "isascii": Function(str.isascii, (_TEXT,), _BOOLEAN),
    "islower": Function(str.islower, (_TEXT,), _BOOLEAN),
    "isupper": Function(str.isupper, (_TEXT,), _BOOLEAN),
}


# ---- what operators do


def number(value: Any) -> int | float:
    """The operand of arithmetic."""
    if not isinstance(value, int | float):
        raise TypeError("no number")
    return value


def read_number(text: str) -> int | float:
    """The value of a placeholder that is always a number."""
    return float(text) if "." in text else int(text)


def add(left: Any, right: Any) -> Any:
    """Texts or numbers; lists are not added."""
    if isinstance(left, str) is not isinstance(right, str) or isinstance(left, tuple | list):
        raise TypeError("a text and a number")
    return left + right


# ---- tests whose first argument is compiled


def re_match(pattern: str) -> Callable[[str], bool]:
    """
    The test of `re_match(pattern, value)`: whether the pattern is found anywhere in a value.

    :raises ValueError: if it is no regular expression
    """
    try:
        search = re.compile(pattern).search
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"the regular expression is malformed: {error}") from None
    return lambda value: search(value) is not None


def cidr(texts: list[str]) -> Callable[[str], bool]:
    """
    The test of `cidr(ip, networks…)`: whether an address lies in one of the networks.

    :raises ValueError: if a text is neither an address nor a network, nor `private_ranges`
    """
    networks: list[Network] = []
    for text in texts:
        for written in PRIVATE_RANGES if text == "private_ranges" else (text,):
            try:
                networks.append(ipaddress.ip_network(written, strict=False))
            except ValueError:
                raise ValueError(f'"{written}" is neither an IP address nor a network') from None
    return lambda value: any(_address(value) in network for network in networks)


@lru_cache(maxsize=4096)
def _address(text: str) -> Address:
    address = ipaddress.ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address
