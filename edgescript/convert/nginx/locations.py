"""Which location takes a request, as nginx chooses, written as an order of exclusive `handle` blocks.

nginx takes an exact location at once; otherwise it remembers the longest prefix, takes it at once if that is `^~`, else the
first regular expression that matches in the order of the file, else the prefix it remembered. Locations inside the prefix
come before the expressions outside of it. As an order of blocks, each with what it must not match:

1. exact ones; 2. `^~` prefixes, longest first, without what a longer ordinary prefix takes; 3. exact ones and expressions
inside ordinary prefixes, where there are expressions outside that would come before; 4. expressions, in order; 5. ordinary
prefixes, longest first; 6. everything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgescript.convert.nginx.lines import Line, own
from edgescript.convert.nginx.variables import VARIABLE, BadPattern, pattern

#: Variables that begin with a slash.
_PATHS = ("uri", "request_uri", "document_uri")
_MODIFIERS = ("=", "^~", "~*", "~", "@")


@dataclass(frozen=True, slots=True)
class Where:
    """What a location is for."""

    #: One of `= ^~ ~* ~ @`, or nothing for an ordinary prefix.
    modifier: str
    text: str

    @property
    def is_regexp(self) -> bool:
        return self.modifier in ("~", "~*")

    @property
    def is_prefix(self) -> bool:
        return self.modifier in ("", "^~")


@dataclass(frozen=True, slots=True)
class Case:
    """A location, and the lines of the matcher that its requests fit; none where it takes what is left."""

    line: Line
    matchers: tuple[tuple[str, ...], ...]


def where(location: Line) -> Where:
    """What a `location` line says."""
    if len(location.args) > 1:
        return Where(location.args[0], location.args[1])
    for modifier in _MODIFIERS:
        if location.value.startswith(modifier):
            return Where(modifier, location.value.removeprefix(modifier))
    return Where("", location.value)


def is_named(location: Line) -> bool:
    return where(location).modifier == "@"


def locations(block: Line) -> list[Line]:
    """The locations of a level that requests can be for, without the named ones."""
    return [line for line in own(block, "location") if line.block is not None and not is_named(line)]


def named(server: Line, name: str) -> Line | None:
    """The named location `@name` of a server."""
    return next((line for line in own(server, "location") if line.value == name and line.block is not None), None)


# ---- the order


def cases(level: Line) -> Iterator[Case]:
    """
    The locations of a level in the order in which they take requests.

    :raises BadPattern: if a location's expression has no counterpart
    """
    found = [(line, where(line)) for line in locations(level)]
    prefixes = sorted((one for one in found if one[1].is_prefix), key=lambda one: -len(one[1].text))
    ordinary = [at.text for _, at in prefixes if at.modifier == ""]
    expressions = [(line, at) for line, at in found if at.is_regexp]
    for line, at in found:
        if at.modifier == "=":
            yield Case(line, (_exact(at.text),))
    for line, at in prefixes:
        if at.modifier == "^~":
            yield Case(line, (*_prefix(at.text), *_without(at.text, ordinary)))
    if expressions:
        yield from _inside(prefixes)
    for line, at in expressions:
        yield Case(line, (_regexp(at),))
    for line, at in prefixes:
        if at.modifier == "":
            yield Case(line, _prefix(at.text))


def _inside(prefixes: Sequence[tuple[Line, Where]]) -> Iterator[Case]:
    """What stands inside of ordinary prefixes and comes before the expressions outside."""
    every = [at.text for _, at in prefixes]
    for line, at in prefixes:
        if at.modifier == "":
            limits = (*_prefix(at.text), *_without(at.text, every))
            for case in cases(line):
                if not where(case.line).is_prefix:
                    yield Case(case.line, (*limits, *case.matchers))


def _exact(path: str) -> tuple[str, ...]:
    if "*" in path:
        return ("path_regexp", f"^{re.escape(path)}$")
    return ("path", path)


def _prefix(path: str) -> tuple[tuple[str, ...], ...]:
    if path in ("", "/"):
        return ()
    if "*" in path:
        return (("path_regexp", f"^{re.escape(path)}"),)
    return (("path", f"{path}*"),)


def _without(path: str, others: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    longer = [f"{other}*" for other in others if other != path and other.startswith(path)]
    return (("not", "path", *longer),) if longer else ()


def _regexp(at: Where) -> tuple[str, ...]:
    return ("path_regexp", pattern(at.text, ignore_case=at.modifier == "~*"))


# ---- choosing while converting


def chosen(level: Line, path: str) -> Line | None:
    """The location that a request for a path would get, or None where none of the level fits."""
    found = [(line, where(line)) for line in locations(level)]
    exact = next((line for line, at in found if at.modifier == "=" and at.text == path), None)
    if exact is not None:
        return exact
    fitting = [(line, at) for line, at in found if at.is_prefix and path.startswith(at.text)]
    longest = max(fitting, key=lambda one: len(one[1].text), default=None)
    inner = chosen(longest[0], path) if longest else None
    if inner is not None and where(inner).is_regexp:
        return inner
    if longest is None or longest[1].modifier != "^~":
        expression = next((line for line, at in found if at.is_regexp and _finds(at, path)), None)
        if expression is not None:
            return chosen(expression, path) or expression
    return inner or (longest[0] if longest else None)


def example(path: str) -> str:
    """A path that one with variables may come to, for choosing its location."""
    without = VARIABLE.sub(lambda found: "/x" if (found[1] or found[2]) in _PATHS else "x", path)
    return re.sub("^/*", "/", without) if not path.startswith("@") else path


def _finds(at: Where, path: str) -> bool:
    try:
        return re.search(pattern(at.text, ignore_case=at.modifier == "~*"), path) is not None
    except BadPattern:
        return False


def wish(line: Line) -> str:
    """What a matcher for a location may be called."""
    at = where(line)
    words = re.findall(r"[A-Za-z][A-Za-z0-9]+", re.sub(r"\\[a-z]", " ", at.text))
    return "_".join(words[:2]) or "location"
