"""The hot read path of the graph: from host and path to the steps that answer.

Everything here is prepared once, so that finding one of ten thousand hosts or a thousand paths takes no more steps than
finding one of two: a dictionary for what is exact, one dictionary for each distinct length of what is a prefix, and a list
only for what cannot be looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from edgescript.declare.entries import Test
from edgescript.graph.patterns import fits_any, sort
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

    # For people; requests do not come here.

    def __repr__(self) -> str:
        return f"<{type(self).__name__} [{', '.join(name or '*' for name, _ in self.items())}]>"

    def items(self) -> Iterator[tuple[str, T]]:
        """All names with their values, the catch-all "" last."""
        yield from self._exact.items()
        for shapes in self._masked.values():
            for _, names in shapes:
                yield from names.items()
        if self._everything is not None:
            yield "", self._everything

    def name_of(self, host: str) -> str | None:
        """The name by which `find` finds the value of a host."""
        found = self.find(host)
        if found is None or host in self._exact:
            return host if found is not None else None
        labels = host.split(".")
        for stars, names in self._masked.get(len(labels), ()):
            masked = ".".join("*" if number in stars else label for number, label in enumerate(labels))
            if masked in names:
                return masked
        return ""


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
            found = sort(patterns)
            for text in found.exact:
                self._exact.setdefault(text, number)
            for text in found.prefixes:
                by_length.setdefault(len(text), {}).setdefault(text, number)
            if found.suffixes or found.contained or found.globs:
                self._others.append((number, fits_any(found)))
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


class Alternative(NamedTuple):
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
