"""An imagined request that matchers shape until they match it, so that a route can be tried without traffic."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

#: Stands for whatever a `*` covers; texts that are shown have the `*` again.
ANYTHING = "edge-any"


@dataclass(slots=True)
class Sample:
    """
    A request in the making.

    A matcher may have `sample(self, request: Sample, turn: int) -> None`, which changes it to one that the matcher matches;
    where it cannot, it leaves the request alone. Turns count from 0: where there are alternatives, each has its turn.
    """

    method: str = "GET"
    scheme: str = "http"
    host: str = ""
    path: str = "/"
    #: Without the `?`.
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    ip: str = "192.0.2.1"

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    def copy(self) -> Sample:
        """The same, to be changed on its own."""
        return Sample(self.method, self.scheme, self.host, self.path, self.query, dict(self.headers), self.ip)


def fitting(pattern: str) -> str:
    """A text that fits a pattern with `*`."""
    return pattern.replace("*", ANYTHING)


def readable(text: str) -> str:
    """A text for a person, with `*` for what stood for anything."""
    return text.replace(ANYTHING, "*")


# ---- regular expressions

#: A character of each class.
_OF_CATEGORY = {
    "CATEGORY_DIGIT": "1",
    "CATEGORY_WORD": "a",
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_DIGIT": "a",
    "CATEGORY_NOT_WORD": "-",
    "CATEGORY_NOT_SPACE": "a",
}
#: Longer texts are cut, and then hardly fit: repetitions inside repetitions would make them of any length.
_LONGEST = 2000


def matching(pattern: str) -> str | None:
    """A text in which a regular expression finds something; None where none is found out."""
    from re import _parser  # what `re.compile` itself parses with; there is no public one

    text = "".join(_pieces(_parser.parse(pattern)))
    return text if re.search(pattern, text) else None


def _pieces(parsed: Iterable[tuple[Any, Any]]) -> Iterator[str]:
    """Texts for the elements of an expression; what only looks around has none."""
    for operator, value in parsed:
        match str(operator):
            case "LITERAL":
                yield chr(value)
            case "NOT_LITERAL":
                yield "b" if value == ord("a") else "a"
            case "ANY":
                yield "a"
            case "IN":
                yield _one_of(value)
            case "BRANCH":
                yield from _pieces(value[1][0])
            case "SUBPATTERN":
                yield from _pieces(value[-1])
            case "ATOMIC_GROUP":
                yield from _pieces(value)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                least, most, inner = value
                once = "".join(_pieces(inner))[:_LONGEST]
                yield (once * min(max(least, 1), most, _LONGEST))[:_LONGEST]


def _one_of(members: Iterable[tuple[Any, Any]]) -> str:
    """A character of a set; of a negated one, a letter that may be in it."""
    for operator, value in members:
        match str(operator):
            case "LITERAL":
                return chr(value)
            case "RANGE":
                return chr(value[0])
            case "CATEGORY":
                return _OF_CATEGORY.get(str(value), "a")
            case "NEGATE":
                return "x"
    return "a"
