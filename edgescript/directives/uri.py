"""Change a part of the URI."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal

from edgescript.declare.entries import Action, Build, Complaint, Role, directive, record
from edgescript.declare.fields import arg, rest, rows
from edgescript.declare.kinds import Template
from edgescript.directives import _query
from edgescript.directives._headers import patterns_of
from edgescript.directives._uri import change, escaped_path, strip_prefix, strip_suffix
from edgescript.graph.captures import regexp_complaint
from edgescript.http.edit import expand
from edgescript.http.exchange import Exchange


@record
class QueryLine:
    """One change of the query, as a line of the block."""

    parameter: str = arg("Name of the parameter: `name`, `+name`, `-name`, `name>other`, or `*` for all.")
    value: Template | None = arg("The value, or with a third word the regular expression to find.")
    replacement: Template | None = arg("What replaces that which is found; `$1` is the first group.")

    @property
    def patterns(self) -> tuple[str, ...]:
        return patterns_of(self.value, self.replacement)

    def check(self) -> Iterator[Complaint]:
        if complaint := _query.complaint(self.parameter, self.value, self.replacement):
            yield Complaint("parameter", complaint)


@directive("uri", role=Role.REWRITER)
class Uri:
    r"""
    Change a part of the path or of the query, for every directive below and for the upstream.

    - `uri strip_prefix /api` and `uri strip_suffix .php` take something from the path, where it is there;
    - `uri replace /docs/ /v1/docs/ [LIMIT]` replaces a text in path and query, at most LIMIT times in each;
    - `uri path_regexp "/{2,}" /` replaces what a regular expression finds in the path; `$1` is its first group;
    - `uri query name value` gives a parameter its one value, `+name value` adds a value, `-name` takes it away,
      `name>other` renames it, and `name find replacement` replaces in its values what a regular expression finds (`*`: in
      those of all parameters). In a block there may be several such lines; they act in the order written.

    ```edge-test
    :80 {
        uri /api/* strip_prefix /api
        uri path_regexp "^/user-([0-9]+)$" /users/$1
        uri query {
            page>p
            -utm_source
            +lang {header.X-Lang}
        }
        respond "{uri}"
    }
    test "the parts that are changed" {
        request GET http://localhost/api/user-17?page=2&utm_source=mail&q=a%20b
        header X-Lang sv
        expect body "/users/17?p=2&q=a%20b&lang=sv"
    }
    ```
    """

    operation: Literal["strip_prefix", "strip_suffix", "replace", "path_regexp", "query"] = arg("What to do.")
    words: tuple[Template, ...] = rest("What to look for, and what to put there.")
    lines: tuple[QueryLine, ...] = rows("Changes of the query.")

    def check(self) -> Iterator[Complaint]:
        least, most, usage = _USAGE[self.operation]
        if self.operation == "query":
            yield from self._check_query(usage)
        elif self.lines:
            yield Complaint("lines", f"{self.operation} has no block: {usage}")
        elif not least <= len(self.words) <= most:
            yield Complaint("words", f"write {usage}")
        elif self.operation == "path_regexp":
            pattern = self.words[0].constant
            if complaint := _regexp_complaint(pattern):
                yield Complaint("words", complaint)
        elif self.operation == "replace":
            yield from self._check_replace()

    def _check_query(self, usage: str) -> Iterator[Complaint]:
        if not self.words and not self.lines:
            yield Complaint("words", f"write {usage}, or a block of such lines")
        elif len(self.words) > 3:
            yield Complaint("words", f"write {usage}")
        elif self.words and (complaint := _query.complaint(*self._line)):
            yield Complaint("words", complaint)

    def _check_replace(self) -> Iterator[Complaint]:
        if self.words[0].constant == "":
            yield Complaint("words", "there is nothing to look for")
        if len(self.words) == 3 and not re.fullmatch(r"[0-9]{1,6}", self.words[2].constant or ""):
            yield Complaint("words", "the limit is a whole number")

    @property
    def _line(self) -> tuple[str, Template | None, Template | None]:
        """The words behind `uri query`."""
        value, replacement = (*self.words[1:], None, None)[:2]
        return self.words[0].text, value, replacement

    @property
    def patterns(self) -> tuple[str, ...]:
        found = {"path_regexp": self.words[:1], "query": self.words[1:2] if len(self.words) > 2 else ()}
        return tuple(word.text for word in found.get(self.operation, ()))

    def build(self, build: Build) -> Action:
        if self.operation == "query":
            lines = [(line.parameter, line.value, line.replacement) for line in self.lines]
            return _query.action([self._line, *lines] if self.words else lines)
        return _BUILDERS[self.operation](*self.words)


def _regexp_complaint(pattern: str | None) -> str | None:
    return "the regular expression cannot have placeholders" if pattern is None else regexp_complaint(pattern)


def _strip_prefix(prefix: Template) -> Action:
    def run(exchange: Exchange) -> None:
        text = prefix.read(exchange)
        strip_prefix(exchange, text if text.startswith("/") else "/" + text)

    return run


def _strip_suffix(suffix: Template) -> Action:
    return lambda exchange: strip_suffix(exchange, suffix.read(exchange))


def _replace(find: Template, replacement: Template, limit: Template | None = None) -> Action:
    count = (int(limit.constant or 0) if limit is not None else 0) or -1

    def run(exchange: Exchange) -> None:
        old, new = _encoded(find, exchange), _encoded(replacement, exchange)
        if old:
            query = None if exchange.query is None else exchange.query.replace(old, new, count)
            change(exchange, escaped_path(exchange).replace(old, new, count), query)

    return run


def _encoded(template: Template, exchange: Exchange) -> bytes:
    return template.read(exchange).encode("utf-8", "surrogateescape")


def _path_regexp(find: Template, replacement: Template) -> Action:
    pattern = re.compile(find.constant or "")

    def run(exchange: Exchange) -> None:
        text = replacement.read(exchange)
        path = pattern.sub(lambda match: expand(text, match), escaped_path(exchange).decode("ascii"))
        change(exchange, path.encode("utf-8", "surrogateescape"), exchange.query)

    return run


#: Operation → (least and most words behind it, how it is written).
_USAGE = {
    "strip_prefix": (1, 1, "`uri strip_prefix /api`"),
    "strip_suffix": (1, 1, "`uri strip_suffix .php`"),
    "replace": (2, 3, "`uri replace FIND REPLACEMENT [LIMIT]`"),
    "path_regexp": (2, 2, "`uri path_regexp PATTERN REPLACEMENT`"),
    "query": (0, 3, "`uri query [+-]NAME [VALUE]`"),
}

_BUILDERS: dict[str, Callable[..., Action]] = {
    "strip_prefix": _strip_prefix,
    "strip_suffix": _strip_suffix,
    "replace": _replace,
    "path_regexp": _path_regexp,
}
