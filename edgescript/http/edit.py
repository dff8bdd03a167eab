"""Changes of header fields, as `header`, `request_header`, `header_up` and `header_down` write them.

    Name value          give the field this one value
    +Name value         add a value beside those it has
    -Name               take the field away; `*` at either end of the name stands for anything
    ?Name value         give the field this value if it is not there
    Name find replace   replace what the regular expression `find` matches, in each of its values; `*` for every field

Operations run in the order written. Values may be functions of the exchange. Whatever they give, a value that is written
has no CR, LF or NUL (RFC 9110 5.5): a placeholder cannot add a field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers

#: A text, or a function that gives one.
Value = str | Callable[[Exchange], str]
Edit = Callable[[Headers, Exchange], None]

#: Fields that say how a message is framed: only the engine and the upstream connection write them.
FRAMING = frozenset({b"connection", b"content-length", b"transfer-encoding"})

_NAME = re.compile(r"[!#$%&'+.^_`|~0-9A-Za-z-]+")
_NAME_PATTERN = re.compile(r"\*?[!#$%&'+.^_`|~0-9A-Za-z-]*\*?")
_FORBIDDEN = re.compile(rb"[\r\n\0]")
#: `$1`, `${1}`, `${name}`, and `$$` for a dollar sign, as in Caddy.
_REFERENCE = re.compile(r"\$(?:(\d+|[A-Za-z_]\w*)|\{(\w+)\}|(\$))")


class Mode(Enum):
    """What an operation does to its field."""

    SET = ""
    ADD = "+"
    DELETE = "-"
    DEFAULT = "?"
    REPLACE = "find"


_PREFIXES = {"+": (Mode.ADD, False), "-": (Mode.DELETE, False), "?": (Mode.DEFAULT, False), ">": (Mode.SET, True)}


@dataclass(frozen=True, slots=True)
class Operation:
    """One change of the fields of one name."""

    mode: Mode
    #: Lower-case; DELETE may have `*` at either end, REPLACE may be `*` alone.
    name: bytes
    value: Value = ""
    find: re.Pattern[str] | None = None
    #: Written with `>`: run when the response is complete, and not where it was written.
    deferred: bool = False


def operation(field: str, value: Value | None = None, replacement: Value | None = None) -> Operation:
    """
    The operation of one line: `field` with its prefix, and the words behind it.

    :raises ValueError: with what is wrong with them
    """
    mode, deferred = _PREFIXES.get(field[:1], (Mode.SET, False))
    if replacement is not None:
        if mode is not Mode.SET:
            raise ValueError(f'"{field[:1]}" and a replacement do not go together')
        mode = Mode.REPLACE
    name = field[1:] if field[:1] in _PREFIXES else field
    _check(mode, name, value)
    encoded = name.lower().encode("ascii")
    if mode is Mode.DELETE:
        return Operation(mode, encoded)
    if mode is Mode.REPLACE:
        return Operation(mode, encoded, replacement or "", _pattern(value), deferred)
    return Operation(mode, encoded, value or "", None, deferred)


def _check(mode: Mode, name: str, value: Value | None) -> None:
    if mode is Mode.DELETE:
        if value is not None:
            raise ValueError("a field that is taken away has no value")
        if not name or _NAME_PATTERN.fullmatch(name) is None:
            raise ValueError(f'"{name}" is no name of a header field; "*" may stand at its beginning and end')
        return
    if _NAME.fullmatch(name) is None and not (mode is Mode.REPLACE and name == "*"):
        raise ValueError(
            f'"{name}" is no name of a header field'
            + ("; it is written without the colon" if name.endswith(":") else "")
        )
    if value is None:
        raise ValueError(f'"{name}" has no value; write "-{name}" to take the field away')
    if name.lower().encode() in FRAMING:
        raise ValueError(f'"{name}" is written by the server itself, as the message needs it')


def _pattern(find: Value | None) -> re.Pattern[str]:
    if not isinstance(find, str):
        raise ValueError("the regular expression to find cannot have placeholders")
    try:
        return re.compile(find)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"the regular expression is malformed: {error}") from None


def compile_operations(operations: Sequence[Operation]) -> Edit | None:
    """One function that runs all of them in order, in place, or None where there are none."""
    if not operations:
        return None
    edits = [_MAKERS[operation.mode](operation) for operation in operations]
    if len(edits) == 1:
        return edits[0]

    def run(headers: Headers, exchange: Exchange) -> None:
        for edit in edits:
            edit(headers, exchange)

    return run


def field_value(text: str) -> bytes:
    """A text as a header field's value: UTF-8, with CR, LF and NUL replaced by spaces (RFC 9110 5.5)."""
    encoded = text.encode("utf-8", "surrogateescape")
    if _FORBIDDEN.search(encoded) is not None:
        encoded = _FORBIDDEN.sub(b" ", encoded)
    return encoded.strip(b" \t")


# ---- one maker for each mode: constants are encoded here, once


def _reader(value: Value) -> Callable[[Exchange], bytes]:
    if isinstance(value, str):
        constant = field_value(value)
        return lambda exchange: constant
    return lambda exchange: field_value(value(exchange))


def _set(operation: Operation) -> Edit:
    name, read = operation.name, _reader(operation.value)
    constant = (name, field_value(operation.value)) if isinstance(operation.value, str) else None

    def edit(headers: Headers, exchange: Exchange) -> None:
        pair = constant or (name, read(exchange))
        for key, _ in headers:
            if key == name:
                headers[:] = [other for other in headers if other[0] != name]
                break
        headers.append(pair)

    return edit


def _add(operation: Operation) -> Edit:
    name, read = operation.name, _reader(operation.value)
    return lambda headers, exchange: headers.append((name, read(exchange)))


def _default(operation: Operation) -> Edit:
    name, read = operation.name, _reader(operation.value)

    def edit(headers: Headers, exchange: Exchange) -> None:
        for key, _ in headers:
            if key == name:
                return
        headers.append((name, read(exchange)))

    return edit


def _delete(operation: Operation) -> Edit:
    fits = _fits(operation.name)

    def edit(headers: Headers, exchange: Exchange) -> None:
        headers[:] = [pair for pair in headers if not fits(pair[0])]

    return edit


def _fits(name: bytes) -> Callable[[bytes], bool]:
    """Whether a field's name is `name`, which may have `*` at either end."""
    core = name.strip(b"*")
    if not core:
        return lambda key: True
    at_start, at_end = not name.startswith(b"*"), not name.endswith(b"*")
    if at_start and at_end:
        return core.__eq__
    if at_start:
        return lambda key: key.startswith(core)
    if at_end:
        return lambda key: key.endswith(core)
    return lambda key: core in key


def _replace(operation: Operation) -> Edit:
    name, find, value = operation.name, operation.find, operation.value
    assert find is not None
    everywhere = name == b"*"

    def edit(headers: Headers, exchange: Exchange) -> None:
        text = value if isinstance(value, str) else value(exchange)
        for index, (key, old) in enumerate(headers):
            if (everywhere and key not in FRAMING) or key == name:
                decoded = old.decode("utf-8", "surrogateescape")
                new = find.sub(lambda match: expand(text, match), decoded)
                if new != decoded:
                    headers[index] = (key, field_value(new))

    return edit


def expand(text: str, match: re.Match[str]) -> str:
    """A replacement with its `$1`, `${name}` and `$$` filled in from a match."""

    def group(reference: re.Match[str]) -> str:
        if reference[3]:
            return "$"
        name = reference[1] or reference[2]
        try:
            return match[int(name) if name.isdigit() else name] or ""
        except (IndexError, OverflowError):
            return ""  # as in Go: a group that is not there is empty

    return _REFERENCE.sub(group, text)


_MAKERS: dict[Mode, Callable[[Operation], Edit]] = {
    Mode.SET: _set,
    Mode.ADD: _add,
    Mode.DELETE: _delete,
    Mode.DEFAULT: _default,
    Mode.REPLACE: _replace,
}
