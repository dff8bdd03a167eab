"""Texts with placeholders: `hello {client_ip}`, compiled to one function.

`{name}` and `{name.PART}` are placeholders. `\\{` and `\\}` are plain braces, and so is every brace around something that
can be no name, so that `{"json": 1}` and `a { color: red }` stand as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from edgescript.expr.names import Reader, Resolve, UnknownName
from edgescript.http.exchange import Exchange
from edgescript.text.problem import Hint

_NAME = r"[A-Za-z_][\w-]*(?:\.[^\s{}:;,\"'`()\\]+)?"
_PART = re.compile(
    rf"""\\(?P<escaped>[{{}}]) | \{{(?P<name>{_NAME})\}} | (?P<unclosed>\{{{_NAME})\Z""", re.VERBOSE | re.ASCII
)


class TemplateError(Exception):
    """A text is no template. The offsets are those of the wrong part; `code` is the problem's code."""

    def __init__(self, message: str, start: int, end: int, hint: str | None = None, code: str = "E106") -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end
        self.hint = hint
        self.code = code


@dataclass(frozen=True, slots=True)
class Template:
    """A text whose placeholders are filled in from an exchange."""

    #: As written.
    text: str
    #: What it reads as, where it has no placeholders.
    constant: str | None
    read: Reader
    #: The placeholders in it, in order.
    names: tuple[str, ...] = ()


def parse(text: str, resolve: Resolve) -> Template:
    """
    Compile a text.

    :raises TemplateError: if it has an unknown placeholder, or one that is not closed
    """
    parts: list[str | Reader] = []
    names: list[str] = []
    for part in _parts(text):
        if isinstance(part, str):
            parts.append(part)
        else:
            names.append(part["name"])
            parts.append(_reader(part, resolve))
    if not names:
        constant = "".join(part for part in parts if isinstance(part, str))
        return Template(text, constant, lambda exchange: constant)
    return Template(text, None, _joined(parts), tuple(names))


def _parts(text: str) -> Iterator[str | re.Match[str]]:
    """The text in pieces: what stands as it is, and the matches of placeholders."""
    position = 0
    for match in _PART.finditer(text):
        if match.start() > position:
            yield text[position : match.start()]
        position = match.end()
        if match["escaped"]:
            yield match["escaped"]
        elif match["unclosed"]:
            hint = 'write "\\{" for a brace that begins no placeholder'
            raise TemplateError("a placeholder is not closed", match.start(), match.end(), hint)
        else:
            yield match
    if position < len(text):
        yield text[position:]


def _reader(part: re.Match[str], resolve: Resolve) -> Reader:
    try:
        return resolve(part["name"])
    except UnknownName as error:
        hint = error.hint
        if hint is None and not error.is_known:
            hint = 'write "\\{" for a brace that begins no placeholder'
        hint = hint.around("{", "}") if isinstance(hint, Hint) else hint
        raise TemplateError(error.message, part.start(), part.end(), hint, "E104") from None


def _joined(parts: list[str | Reader]) -> Reader:
    """One function for all parts: the cases by how many of them must be read, the frequent ones without a loop."""
    readers = [part for part in parts if not isinstance(part, str)]
    first = readers[0]
    if len(parts) == 1:
        return first
    if len(readers) == 1:
        at = parts.index(first)
        before, after = "".join(map(str, parts[:at])), "".join(map(str, parts[at + 1 :]))
        return lambda exchange: f"{before}{first(exchange)}{after}"
    pattern = "".join(part.replace("%", "%%") if isinstance(part, str) else "%s" for part in parts)
    if len(readers) == 2:
        second = readers[1]
        return lambda exchange: pattern % (first(exchange), second(exchange))

    def read(exchange: Exchange) -> str:
        return pattern % tuple([reader(exchange) for reader in readers])

    return read
