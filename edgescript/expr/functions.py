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
    #: What it gives, for a reader.
    doc: str
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
    "int": Function(int, (_ANY,), _NUMBER, "The whole number that a text writes."),
    "float": Function(float, (_ANY,), _NUMBER, "The number that a text writes."),
    "str": Function(_text, (_ANY,), _TEXT, "The value as a text."),
    "bool": Function(bool, (_ANY,), _BOOLEAN, "Whether the value is anything: neither empty nor 0."),
    "len": Function(len, (_ANY,), _NUMBER, "How many characters a text has, or parts a list."),
    "lower": Function(str.lower, (_TEXT,), _TEXT, "The text in lower case."),
    "upper": Function(str.upper, (_TEXT,), _TEXT, "The text in upper case."),
}

METHODS: dict[str, Function] = {
    "startswith": Function(
        str.startswith,
        (_TEXT, _ANY),
        _BOOLEAN,
        "Whether the text begins with the other, or with one of several in parentheses.",
    ),
    "endswith": Function(
        str.endswith,
        (_TEXT, _ANY),
        _BOOLEAN,
        "Whether the text ends with the other, or with one of several in parentheses.",
    ),
    "lower": Function(str.lower, (_TEXT,), _TEXT, "The text in lower case."),
    "upper": Function(str.upper, (_TEXT,), _TEXT, "The text in upper case."),
    "casefold": Function(str.casefold, (_TEXT,), _TEXT, "The text as for comparing without regard to case."),
    "strip": Function(
        str.strip, (_TEXT, _TEXT), _TEXT, "The text without blanks, or without these characters, at both ends.", 1
    ),
    "lstrip": Function(
        str.lstrip, (_TEXT, _TEXT), _TEXT, "The text without blanks, or without these characters, at its beginning.", 1
    ),
    "rstrip": Function(
        str.rstrip, (_TEXT, _TEXT), _TEXT, "The text without blanks, or without these characters, at its end.", 1
    ),
    "removeprefix": Function(
        str.removeprefix, (_TEXT, _TEXT), _TEXT, "The text without this beginning, where it has that."
    ),
    "removesuffix": Function(str.removesuffix, (_TEXT, _TEXT), _TEXT, "The text without this end, where it has that."),
    "replace": Function(
        _replace, (_TEXT, _TEXT, _TEXT), _TEXT, "The text with the second in every place of the first."
    ),
    "split": Function(str.split, (_TEXT, _TEXT), _LIST, "The list of its parts between blanks, or between these.", 1),
    "count": Function(str.count, (_TEXT, _TEXT), _NUMBER, "How often the other stands in the text."),
    "find": Function(
        str.find, (_TEXT, _TEXT), _NUMBER, "Where the other stands in the text, counted from 0; -1 if nowhere."
    ),
    "isdigit": Function(str.isdigit, (_TEXT,), _BOOLEAN, "Whether the text is digits only."),
    "isdecimal": Function(str.isdecimal, (_TEXT,), _BOOLEAN, "Whether the text is decimal digits only."),
    "isalpha": Function(str.isalpha, (_TEXT,), _BOOLEAN, "Whether the text is letters only."),
    "isalnum": Function(str.isalnum, (_TEXT,), _BOOLEAN, "Whether the text is letters and digits only."),
    "isascii": Function(str.isascii, (_TEXT,), _BOOLEAN, "Whether the text is ASCII only."),
    "islower": Function(str.islower, (_TEXT,), _BOOLEAN, "Whether all letters are lower-case."),
    "isupper": Function(str.isupper, (_TEXT,), _BOOLEAN, "Whether all letters are upper-case."),
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
