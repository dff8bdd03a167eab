"""The hot read path of the graph: from host and path to the steps that answer.

Everything here is prepared once, so that ten thousand hosts or a thousand paths cost what one does: a dictionary for what
is exact, one dictionary for each distinct length of what is a prefix, and a list only for what cannot be looked up.

A path pattern is exact unless it holds `*`: `/api/*` is a prefix, `*.php` a suffix, `*x*` anywhere; a `*` in the middle
stands for a part of one segment. Upper and lower case are the same, as in Caddy: a rule that guards `/admin` must not be
stepped around by `/Admin` on a server behind that does not care.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, TypeVar

from edgescript.declare.entries import Test
from edgescript.graph.model import Site
from edgescript.http.exchange import Exchange

T = TypeVar("T")

#: From this many alternatives on, looking paths up is faster than testing one after the other (measured).
INDEX_FROM = 3


# Hosts


class HostTable(Generic[T]):
    """Values by host name: exact names first, then names with `*` for whole labels, then one for every other host."""

    __slots__ = ("_everything", "_exact", "_masked")

    def __init__(self, hosts: Iterable[tuple[str, T]]) -> None:
        """:param hosts: names in lower case; "" is every host. Of equal names the first counts."""
        self._exact: dict[str, T] = {}
        self._everything: T | None = None
        #: By number of labels: the positions that are `*`, and the names with those positions masked; fewest first.
        self._masked: dict[int, list[tuple[tuple[int, ...], dict[str, T]]]] = {}
        for host, value in hosts:
            self._add(host, value)

    def _add(self, host: str, value: T) -> None:
        if host == "":
            self._everything = value if self._everything is None else self._everything
        elif "*" in host:
            self._add_masked(host, value)
        else:
            self._exact.setdefault(host, value)

    def _add_masked(self, host: str, value: T) -> None:
        labels = host.split(".")
        stars = tuple(number for number, label in enumerate(labels) if label == "*")
        shapes = self._masked.setdefault(len(labels), [])
        for known, names in shapes:
            if known == stars:
                names.setdefault(host, value)
                return
        shapes.append((stars, {host: value}))
        shapes.sort(key=lambda shape: (len(shape[0]), shape[0]))

    def find(self, host: str) -> T | None:
        """The value of the most specific name that covers a lower-case host, or None."""
        value = self._exact.get(host)
        if value is None:
            if self._masked:
                return self._find_masked(host)
            return self._everything
        return value

    def _find_masked(self, host: str) -> T | None:
        labels = host.split(".")
        for stars, names in self._masked.get(len(labels), ()):
            masked = labels.copy()
            for number in stars:
                masked[number] = "*"
            value = names.get(".".join(masked))
            if value is not None:
                return value
        return self._everything


class HostIndex(HostTable[Site]):
    """Which site answers a host."""

    __slots__ = ()


# Path patterns


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


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Path patterns by how they are compared."""

    exact: frozenset[str]
    prefixes: tuple[str, ...]
    suffixes: tuple[str, ...]
    contained: tuple[str, ...]
    globs: tuple[Callable[[str], object], ...]


def _sort(patterns: Iterable[str]) -> _Sorted:
    by: dict[Shape, list[str]] = {kind: [] for kind in Shape}
    for pattern in patterns:
        kind, text = shape(pattern)
        by[kind].append(text)
    return _Sorted(
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
    found = _sort(patterns)
    if not found.contained and not found.globs:
        return _affixes(found)
    fits = _fits(found)
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


def _affixes(found: _Sorted) -> Test:
    exact, prefixes, suffixes = found.exact, found.prefixes, found.suffixes
    if not prefixes and not suffixes:
        return lambda exchange: exchange.path.lower() in exact
    if not exact and not suffixes:
        return lambda exchange: exchange.path.lower().startswith(prefixes)

    def test(exchange: Exchange) -> bool:
        path = exchange.path.lower()
        return path in exact or path.startswith(prefixes) or path.endswith(suffixes)

    return test


def _fits(found: _Sorted) -> Callable[[str], bool]:
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
        return _fits(_sort([wide]))(narrow_text)
    match wide_kind:
        case Shape.PREFIX:
            return narrow_text.partition("*")[0].startswith(wide_text) and narrow_kind in (Shape.PREFIX, Shape.GLOB)
        case Shape.SUFFIX:
            return narrow_kind is Shape.SUFFIX and narrow_text.endswith(wide_text)
        case Shape.CONTAINS:
            return narrow_kind is not Shape.GLOB and wide_text in narrow_text
    return False


# Choosing among many


class PathIndex:
    """Which of many alternatives, each with path patterns of its own, is the first in written order to fit a path."""

    __slots__ = ("_exact", "_none", "_others", "_prefixes")

    def __init__(self, alternatives: Sequence[tuple[int, Sequence[str]]], none: int) -> None:
        """
        :param alternatives: their numbers, ascending, and patterns
        :param none: what `first` gives if none fits; more than all numbers
        """
        self._none = none
        self._exact: dict[str, int] = {}
        by_length: dict[int, dict[str, int]] = {}
        self._others: list[tuple[int, Callable[[str], bool]]] = []
        for number, patterns in alternatives:
            found = _sort(patterns)
            for text in found.exact:
                self._exact.setdefault(text, number)
            for text in found.prefixes:
                by_length.setdefault(len(text), {}).setdefault(text, number)
            if found.suffixes or found.contained or found.globs:
                self._others.append((number, _fits(found)))
        self._prefixes = sorted(by_length.items())

    def first(self, path: str) -> int:
        """The number of the first alternative that fits."""
        path = path.lower()
        best = self._exact.get(path, self._none)
        for length, prefixes in self._prefixes:
            number = prefixes.get(path[:length], best)
            if number < best:
                best = number
        for number, fits in self._others:
            if number > best:
                break
            if fits(path):
                return number
        return best


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of several blocks or directives: what it asks for, and the position of the program that it is at."""

    test: Test | None
    #: Its path patterns, where the test is nothing else.
    paths: tuple[str, ...] | None
    position: int


def chooser(alternatives: Sequence[Alternative], otherwise: int) -> Callable[[Exchange], int]:
    """The position of the first alternative that matches, or `otherwise`."""
    tested: list[Alternative] = []
    for alternative in alternatives:
        if alternative.test is None:
            otherwise = alternative.position
            break
        tested.append(alternative)
    if sum(alternative.paths is not None for alternative in tested) >= INDEX_FROM:
        return _indexed(tested, otherwise)
    return _in_turn(tested, otherwise)


def _in_turn(tested: Sequence[Alternative], otherwise: int) -> Callable[[Exchange], int]:
    turns = tuple((alternative.test, alternative.position) for alternative in tested)
    if not turns:
        return lambda exchange: otherwise
    if len(turns) == 1:
        ((only, inside),) = turns
        return lambda exchange: inside if only(exchange) else otherwise  # type: ignore[misc]

    def choose(exchange: Exchange) -> int:
        for test, position in turns:
            if test(exchange):  # type: ignore[misc]  # None was sorted out above
                return position
        return otherwise

    return choose


def _indexed(tested: Sequence[Alternative], otherwise: int) -> Callable[[Exchange], int]:
    """Paths are looked up; what is no path is tested in turn, as far as it was written before what the path gave."""
    positions = (*(alternative.position for alternative in tested), otherwise)
    numbered = list(enumerate(tested))
    first = PathIndex([(n, a.paths) for n, a in numbered if a.paths is not None], len(tested)).first
    turns = tuple((n, a.test, a.position) for n, a in numbered if a.paths is None)
    if not turns:
        return lambda exchange: positions[first(exchange.path)]

    def choose(exchange: Exchange) -> int:
        best = first(exchange.path)
        for number, test, position in turns:
            if number > best:
                break
            if test(exchange):  # type: ignore[misc]
                return position
        return positions[best]

    return choose
