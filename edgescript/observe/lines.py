"""Lines about requests in any format, and of any fields; compiled to one function when the graph is built.

Whatever a client sends, a request leaves one line, and no value can look like the end of another: JSON escapes, and in the
other formats control characters, quotes, backslashes and all that is no ASCII are written as `\\xHH`, as nginx does it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from edgescript.http.exchange import Exchange, Note
from edgescript.observe.access import UNUSUAL, Line, Wall, in_json, line_maker, stamper, without_user
from edgescript.observe.entry import Entry, severity_of
from edgescript.observe.masking import Change

#: What a field's name may be, so that no format has to escape it.
FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def in_text(text: str) -> str:
    """A text as it stands in a line that is not JSON."""
    return text if UNUSUAL.search(text) is None else UNUSUAL.sub(_hexadecimal, text)


def _hexadecimal(found: re.Match[str]) -> str:
    return "".join([f"\\x{byte:02X}" for byte in found[0].encode("utf-8", "surrogateescape")])


# ---- fields


class Field(NamedTuple):
    """A field that any line can have."""

    #: None where this request has none.
    read: Callable[[Exchange], str | None]
    is_number: bool = False
    #: Only some requests have it.
    is_rare: bool = False


def _header(name: bytes) -> Callable[[Exchange], str]:
    def read(exchange: Exchange) -> str:
        found = b""
        for field_name, value in exchange.headers:
            if field_name == name:
                found = value
        return found.decode("utf-8", "replace")

    return read


_raw_referer = _header(b"referer")


def _uri(exchange: Exchange) -> str:
    uri = exchange.target.decode("utf-8", "replace")
    return uri if uri.startswith("/") else without_user(uri)


def _status(exchange: Exchange) -> str:
    return "0" if exchange.response is None else str(exchange.response.status)


def _upstream(exchange: Exchange) -> str | None:
    return None if exchange.upstream is None else str(exchange.upstream.address)


def _latency(exchange: Exchange) -> str | None:
    return None if exchange.upstream is None else f"{exchange.upstream.latency or 0:.6f}"


def _error(exchange: Exchange) -> str | None:
    return None if exchange.error is None else exchange.error.reason


def _trace_id(exchange: Exchange) -> str | None:
    return None if exchange.span is None else exchange.span.trace_id


def _span_id(exchange: Exchange) -> str | None:
    return None if exchange.span is None else exchange.span.span_id


#: All but `ts`, in the order in which they stand in a line.
FIELDS: dict[str, Field] = {
    "client_ip": Field(lambda exchange: exchange.client_ip),
    "method": Field(lambda exchange: exchange.original_method.decode("latin-1")),
    "host": Field(lambda exchange: exchange.host),
    "uri": Field(_uri),
    "protocol": Field(lambda exchange: f"HTTP/{exchange.version}"),
    "status": Field(_status, is_number=True),
    "size": Field(lambda exchange: str(exchange.sent), is_number=True),
    "duration": Field(lambda exchange: f"{exchange.duration:.6f}", is_number=True),
    "user_agent": Field(_header(b"user-agent")),
    "referer": Field(lambda exchange: without_user(_raw_referer(exchange))),
    "upstream": Field(_upstream, is_rare=True),
    "upstream_latency": Field(_latency, is_number=True, is_rare=True),
    "error": Field(_error, is_rare=True),
    "request_id": Field(lambda exchange: exchange.used_request_id, is_rare=True),
    "trace_id": Field(_trace_id, is_rare=True),
    "span_id": Field(_span_id, is_rare=True),
}
NAMES = ("ts", *FIELDS)
#: What is hashed or masked is no number any more, so these are not.
TEXTS = tuple(name for name, one in FIELDS.items() if not one.is_number)


class Added(NamedTuple):
    """A field of one's own."""

    name: str
    read: Callable[[Exchange], str]


def _shown(note: Note) -> Callable[[Exchange], str]:
    return note.shown


@dataclass(frozen=True, slots=True)
class Selection:
    """Which fields lines have, and what happens to their values."""

    #: None: all.
    keep: frozenset[str] | None = None
    drop: frozenset[str] = frozenset()
    rename: Mapping[str, str] = field(default_factory=dict)
    #: By the names before renaming; also of what `log_append` adds.
    changes: Mapping[str, Change] = field(default_factory=dict)
    #: Those of the changes that give nothing away, so that they are given the clear value.
    hashed: frozenset[str] = frozenset()
    added: tuple[Added, ...] = ()
    #: How the value of a `log_append` is shown: what happens to a field happens to placeholders that give the same.
    noted: Callable[[Note], Callable[[Exchange], str]] = _shown

    def has(self, name: str) -> bool:
        return (self.keep is None or name in self.keep) and name not in self.drop


EVERYTHING = Selection()


class Value(NamedTuple):
    """One field of the lines of one log."""

    name: str
    read: Callable[[Exchange], str | None]
    is_number: bool = False
    is_rare: bool = False


def values_of(selection: Selection, wall: Wall = time.time) -> list[Value]:
    """The fields that lines have, in their order: those of every line first."""
    stamp = stamper(wall)
    found = [("ts", Value("ts", lambda exchange: stamp()))]
    found += [(name, _value(name, one, selection)) for name, one in FIELDS.items()]
    chosen = [value for name, value in found if selection.has(name)]
    chosen += [Value(one.name, one.read) for one in selection.added]
    return sorted(chosen, key=lambda value: value.is_rare)


def _value(name: str, one: Field, selection: Selection) -> Value:
    change = selection.changes.get(name)
    read = one.read if change is None else changed(one.read, change)
    return Value(selection.rename.get(name, name), read, one.is_number, one.is_rare)


def changed(read: Callable[[Exchange], str | None], change: Change) -> Callable[[Exchange], str | None]:
    def read_changed(exchange: Exchange) -> str | None:
        text = read(exchange)
        return text and change(text)

    return read_changed


def _notes(exchange: Exchange, selection: Selection) -> list[tuple[str, str]]:
    """What `log_append` says about the request, but for what the log leaves out."""
    found = []
    for name, note in (exchange.notes or {}).items():
        if selection.has(name):
            change = selection.changes.get(name, str)
            text = note.clear(exchange) if name in selection.hashed else selection.noted(note)(exchange)
            found.append((selection.rename.get(name, name), change(text)))
    return found


# ---- formats


def json_lines(selection: Selection = EVERYTHING, wall: Wall = time.time) -> Line:
    """JSON, the usual line or any other."""
    if selection == EVERYTHING:
        return line_maker(wall)
    values = values_of(selection, wall)
    always = [value for value in values if not value.is_rare]
    rare = [value for value in values if value.is_rare]
    readers = [value.read for value in always]
    # A field's name has nothing that JSON or `%` would take for its own.
    pattern = ",".join(f'"{value.name}":%s' if value.is_number else f'"{value.name}":"%s"' for value in always)
    unusual = UNUSUAL.search

    def line(exchange: Exchange) -> str:
        texts = [read(exchange) or "" for read in readers]
        if unusual("".join(texts)) is not None:
            texts = [in_json(text) for text in texts]
        parts = [pattern % tuple(texts)] if texts else []
        for name, read, is_number, _ in rare:
            text = read(exchange)
            if text is not None:
                parts.append(f'"{name}":{text}' if is_number else f'"{name}":"{in_json(text)}"')
        if exchange.notes is not None:
            parts += [f'"{name}":"{in_json(text)}"' for name, text in _notes(exchange, selection)]
        return f"{{{','.join(parts)}}}\n"

    return line


#: What stands first in a line for people, and what is put behind its value.
_FOR_PEOPLE = {
    "ts": "", "status": "", "method": "", "host": "", "uri": "", "size": "B", "duration": "s", "client_ip": "",
}  # fmt: skip


def console_lines(selection: Selection = EVERYTHING, wall: Wall = time.time) -> Line:
    """For people: the values that speak for themselves, then the others with their names."""
    values = {value.name: value for value in values_of(selection, wall)}
    spoken = [(values.pop(name), unit) for name, unit in _FOR_PEOPLE.items() if name in values]
    named = list(values.values())

    def line(exchange: Exchange) -> str:
        words = [f"{in_text(value.read(exchange) or '-')}{unit}" for value, unit in spoken]
        words += [_named(name, text) for name, read, _, _ in named if (text := read(exchange))]
        words += [_named(name, text) for name, text in _notes(exchange, selection) if text]
        return " ".join(words) + "\n"

    return line


def _named(name: str, text: str) -> str:
    safe = in_text(text)
    return f'{name}="{safe}"' if " " in safe else f"{name}={safe}"


def logfmt_lines(selection: Selection = EVERYTHING, wall: Wall = time.time) -> Line:
    """`name=value`, as go-logfmt reads it: in quotes where a value has anything unusual, and then escaped as in JSON."""
    values = values_of(selection, wall)

    def line(exchange: Exchange) -> str:
        pairs = [_pair(name, text) for name, read, _, _ in values if (text := read(exchange)) is not None]
        pairs += [_pair(name, text) for name, text in _notes(exchange, selection)]
        return " ".join(pairs) + "\n"

    return line


def _pair(name: str, text: str) -> str:
    is_plain = " " not in text and "=" not in text and UNUSUAL.search(text) is None
    return f"{name}={text}" if is_plain else f'{name}="{in_json(text)}"'


def common_lines(selection: Selection = EVERYTHING, wall: Wall = time.time) -> Line:
    """
    Common Log Format: Apache's `%h %l %u %t "%r" %>s %b`.

    Who the user is, is not said: a client may have put a credential in its place.
    """
    return _logged_format(selection, wall, size_of_nothing="-", is_combined=False)


def combined_lines(selection: Selection = EVERYTHING, wall: Wall = time.time) -> Line:
    """Combined Log Format, as nginx writes it."""
    return _logged_format(selection, wall, size_of_nothing="0", is_combined=True)


def _logged_format(selection: Selection, wall: Wall, *, size_of_nothing: str, is_combined: bool) -> Line:
    values = {value.name: value.read for value in values_of(Selection(changes=selection.changes), wall)}
    client_ip, method, uri = values["client_ip"], values["method"], values["uri"]
    status, referer, user_agent = values["status"], values["referer"], values["user_agent"]
    stamp = _common_stamper(wall)

    def line(exchange: Exchange) -> str:
        request = f"{method(exchange)} {uri(exchange)} HTTP/{_VERSIONS.get(exchange.version, exchange.version)}"
        text = (
            f'{client_ip(exchange)} - - [{stamp()}] "{in_text(request)}" {int(status(exchange) or 0):03d}'
            f" {exchange.sent or size_of_nothing}"
        )
        if not is_combined:
            return text + "\n"
        return f'{text} "{in_text(referer(exchange) or "-")}" "{in_text(user_agent(exchange) or "-")}"\n'

    return line


#: HTTP/2 and later have no minor version; those who read logs expect one.
_VERSIONS = {"2": "2.0", "3": "3.0"}


def _common_stamper(wall: Wall) -> Callable[[], str]:
    """`31/Jan/2026:12:00:00 +0100` in local time, made once in a second."""
    second = -1
    text = ""

    def stamp() -> str:
        nonlocal second, text
        now = int(wall())
        if now != second:
            second = now
            local = time.localtime(now)
            # Not %b: it speaks the language of the process.
            text = f"{local.tm_mday:02d}/{_MONTHS[local.tm_mon - 1]}/{time.strftime('%Y:%H:%M:%S %z', local)}"
        return text

    return stamp


# ---- for outputs that want more than a text


def entries(
    line: Line, selection: Selection = EVERYTHING, wall: Wall = time.time, *, has_fields: bool = True
) -> Callable[[Exchange], Entry]:
    """What makes entries: their text is the line, and with `has_fields` the fields that it is made of stand beside it."""
    values = [value for value in values_of(selection, wall) if value.name != "ts"]

    def fields_of(exchange: Exchange) -> tuple[tuple[str, str, bool], ...]:
        fields = [
            (name, text, is_number) for name, read, is_number, _ in values if (text := read(exchange)) is not None
        ]
        return (*fields, *[(name, text, False) for name, text in _notes(exchange, selection)])

    def entry(exchange: Exchange) -> Entry:
        span = exchange.span
        return Entry(
            line(exchange)[:-1],
            severity_of(0 if exchange.response is None else exchange.response.status),
            wall(),
            fields_of(exchange) if has_fields else (),
            "" if span is None else span.trace_id,
            "" if span is None else span.span_id,
        )

    return entry
