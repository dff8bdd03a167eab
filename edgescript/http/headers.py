"""Header fields as the data path holds them: a list of (lower-case name, value) pairs of bytes, in the order received."""

from __future__ import annotations

from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]


def first(headers: Headers, name: bytes) -> bytes | None:
    """The value of the first field called `name` (lower-case), or None."""
    for key, value in headers:
        if key == name:
            return value
    return None


def every(headers: Headers, name: bytes) -> list[bytes]:
    """The values of all fields called `name` (lower-case), in order."""
    return [value for key, value in headers if key == name]


def combined(headers: Headers, name: bytes) -> bytes | None:
    """All values of a list-valued field as one, joined by commas (RFC 9110 5.3), or None."""
    values = [value for key, value in headers if key == name]
    return b", ".join(values) if values else None


def remove(headers: Headers, name: bytes) -> None:
    """Take every field called `name` away, in place."""
    headers[:] = [pair for pair in headers if pair[0] != name]


def replace(headers: Headers, name: bytes, value: bytes) -> None:
    """Give `name` this one value, in place of any it had."""
    remove(headers, name)
    headers.append((name, value))


def elements(values: Iterable[bytes]) -> list[bytes]:
    """The members of a comma-separated list field, over all its lines, stripped and without empty ones (RFC 9110 5.6.1)."""
    return [part for value in values for element in value.split(b",") if (part := element.strip(b" \t"))]
