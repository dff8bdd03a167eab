"""Patterns: of paths, and of other text.

A path pattern is exact unless it holds `*`: `/api/*` is a prefix, `*.php` a suffix, `*x*` anywhere; a `*` in the middle
stands for a part of one segment. Upper and lower case are the same, as in Caddy: a rule that guards `/admin` must not be
stepped around by `/Admin` on a server behind that does not care.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from enum import Enum, auto
from typing import AnyStr, NamedTuple

from edgescript.declare.entries import Test
from edgescript.http.exchange import Exchange


class Shape(Enum):
    """How a path pattern is compared."""

    EXACT = auto()
    PREFIX = auto()
    SUFFIX = auto()
    CONTAINS = auto()
    GLOB = auto()


def shape(pattern: str) -> tuple[Shape, str]:
    """How a pattern is compared, and the lower-case text it is compared with."""
    text = pattern.lower()
    stars = text.count("*")
    if stars == 0:
        return Shape.EXACT, text
    if stars == 1 and text.endswith("*"):
        return Shape.PREFIX, text[:-1]
    if stars == 1 and text.startswith("*"):
        return Shape.SUFFIX, text[1:]
    if stars == 2 and len(text) > 2 and text.startswith("*") and text.endswith("*"):
        return Shape.CONTAINS, text[1:-1]
    return Shape.GLOB, text


def _glob(text: str) -> Callable[[str], object]:
    """A `*` at either end stands for anything, one inside for anything but a slash."""
    inner = "[^/]*".join(re.escape(part) for part in text.strip("*").split("*"))
    lead = ".*" if text.startswith("*") else ""
    tail = ".*" if text.endswith("*") else ""
    return re.compile(lead + inner + tail, re.DOTALL).fullmatch


class Sorted(NamedTuple):
    """Path patterns by how they are compared."""

    exact: frozenset[str]
    prefixes: tuple[str, ...]
    suffixes: tuple[str, ...]
    contained: tuple[str, ...]
    globs: tuple[Callable[[str], object], ...]


def sort(patterns: Iterable[str]) -> Sorted:
    by: dict[Shape, list[str]] = {kind: [] for kind in Shape}
    for pattern in patterns:
        kind, text = shape(pattern)
        by[kind].append(text)
    return Sorted(
        frozenset(by[Shape.EXACT]),
        tuple(by[Shape.PREFIX]),
        tuple(by[Shape.SUFFIX]),
        tuple(by[Shape.CONTAINS]),
        tuple(_glob(text) for text in by[Shape.GLOB]),
    )


def path_test(patterns: Sequence[str]) -> Test:
    """Whether an exchange's path fits one of the patterns. The common single shapes have tests of their own."""
    if len(patterns) == 1:
        return _single(*shape(patterns[0]))
    found = sort(patterns)
    if not found.contained and not found.globs:
        return _affixes(found)
    fits = fits_any(found)
    return lambda exchange: fits(exchange.path.lower())


def _single(kind: Shape, text: str) -> Test:
    match kind:
        case Shape.EXACT:
            return lambda exchange: exchange.path.lower() == text
        case Shape.PREFIX:
            return lambda exchange: exchange.path.lower().startswith(text)
        case Shape.SUFFIX:
            return lambda exchange: exchange.path.lower().endswith(text)
        case Shape.CONTAINS:
            return lambda exchange: text in exchange.path.lower()
        case Shape.GLOB:
            fits = _glob(text)
            return lambda exchange: fits(exchange.path.lower()) is not None


def _affixes(found: Sorted) -> Test:
    exact, prefixes, suffixes = found.exact, found.prefixes, found.suffixes
    if not prefixes and not suffixes:
        return lambda exchange: exchange.path.lower() in exact
    if not exact and not suffixes:
        return lambda exchange: exchange.path.lower().startswith(prefixes)

    def test(exchange: Exchange) -> bool:
        path = exchange.path.lower()
        return path in exact or path.startswith(prefixes) or path.endswith(suffixes)

    return test


def fits_any(found: Sorted) -> Callable[[str], bool]:
    def fits(path: str) -> bool:
        return (
            path in found.exact
            or path.startswith(found.prefixes)
            or path.endswith(found.suffixes)
            or any(text in path for text in found.contained)
            or any(glob(path) is not None for glob in found.globs)
        )

    return fits


def covers(wide: str, narrow: str) -> bool:
    """Whether every path that fits `narrow` is known to fit `wide` as well; False where that is not certain."""
    wide_kind, wide_text = shape(wide)
    narrow_kind, narrow_text = shape(narrow)
    if (wide_kind, wide_text) in ((Shape.PREFIX, ""), (narrow_kind, narrow_text)):
        return True
    if narrow_kind is Shape.EXACT:
        return fits_any(sort([wide]))(narrow_text)
    match wide_kind:
        case Shape.PREFIX:
            return narrow_text.partition("*")[0].startswith(wide_text) and narrow_kind in (Shape.PREFIX, Shape.GLOB)
        case Shape.SUFFIX:
            return narrow_kind is Shape.SUFFIX and narrow_text.endswith(wide_text)
        case Shape.CONTAINS:
            return narrow_kind is not Shape.GLOB and wide_text in narrow_text
    return False


# Other text


def wildcard(pattern: AnyStr) -> Callable[[AnyStr], bool]:
    """Whether a text equals the pattern; a `*` at its beginning or end stands for anything, elsewhere for itself."""
    star = b"*" if isinstance(pattern, bytes) else "*"
    text = pattern.removeprefix(star).removesuffix(star)
    if pattern == star:
        return lambda value: True
    if pattern.startswith(star) and pattern.endswith(star):
        return lambda value: text in value
    if pattern.startswith(star):
        return lambda value: value.endswith(text)
    if pattern.endswith(star):
        return lambda value: value.startswith(text)
    return lambda value: value == pattern
