"""Changes of single parameters of the query; the others stay byte for byte as they came."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from urllib.parse import unquote_to_bytes

from edgescript.declare.entries import Action
from edgescript.declare.kinds import Template
from edgescript.directives._uri import escaped_path, quoted_value
from edgescript.graph.captures import regexp_complaint
from edgescript.http.edit import expand
from edgescript.http.exchange import Exchange

_PLACEHOLDER = re.compile(r"\{[A-Za-z_][\w.-]*\}")

#: Parameters in order, encoded: `a=b`, or `a` alone.
Pairs = list[bytes]
Change = Callable[[Pairs, Exchange], Pairs]
Line = tuple[str, Template | None, Template | None]


def complaint(parameter: str, value: Template | None, replacement: Template | None) -> str | None:
    """What is wrong with a line, or None."""
    sign, name = _sign_and_name(parameter)
    if not name or (name == "*" and replacement is None):
        return "there is no parameter to change"
    if _PLACEHOLDER.search(name):
        return "the name of a parameter cannot have placeholders"
    if sign == "-" or ">" in name:
        return None if value is None else "a parameter that is taken away or renamed has no value"
    if replacement is not None:
        if sign:
            return f'"{sign}" and a replacement do not go together'
        assert value is not None
        return (
            "the regular expression cannot have placeholders"
            if value.constant is None
            else regexp_complaint(value.constant)
        )
    return None


def action(lines: Sequence[Line]) -> Action:
    """One step that makes all changes, in the order written."""
    changes = [_change(*line) for line in lines]

    def run(exchange: Exchange) -> None:
        pairs = [pair for pair in (exchange.query or b"").split(b"&") if pair]
        for change in changes:
            pairs = change(pairs, exchange)
        exchange.set_uri(escaped_path(exchange), b"&".join(pairs) or None)

    return run


def _sign_and_name(parameter: str) -> tuple[str, str]:
    return (parameter[0], parameter[1:]) if parameter[:1] in ("+", "-") else ("", parameter)


def _change(parameter: str, value: Template | None, replacement: Template | None) -> Change:
    sign, name = _sign_and_name(parameter)
    if sign == "-":
        return lambda pairs, exchange: [pair for pair in pairs if _name(pair) != name]
    if sign == "+":
        return lambda pairs, exchange: [*pairs, _pair(name, value, exchange)]
    if replacement is not None and value is not None:
        return _replace(name, re.compile(value.constant or ""), replacement)
    if value is None and ">" in name:
        return _rename(*name.split(">", 1))
    return _set(name, value)


def _set(name: str, value: Template | None) -> Change:
    def change(pairs: Pairs, exchange: Exchange) -> Pairs:
        return [*(pair for pair in pairs if _name(pair) != name), _pair(name, value, exchange)]

    return change


def _rename(old: str, new: str) -> Change:
    encoded = quoted_value(new).encode()

    def renamed(pair: bytes) -> bytes:
        _, equals, value = pair.partition(b"=")
        return encoded + equals + value

    def change(pairs: Pairs, exchange: Exchange) -> Pairs:
        if not any(_name(pair) == old for pair in pairs):
            return pairs
        # As in Caddy, what had the new name already is gone.
        return [renamed(pair) if _name(pair) == old else pair for pair in pairs if old == new or _name(pair) != new]

    return change


def _replace(name: str, find: re.Pattern[str], replacement: Template) -> Change:
    def change(pairs: Pairs, exchange: Exchange) -> Pairs:
        text = replacement.read(exchange)

        def replaced(pair: bytes) -> bytes:
            key, equals, value = pair.partition(b"=")
            old = _decoded(value)
            new = find.sub(lambda match: expand(text, match), old)
            return pair if new == old else key + equals + quoted_value(new).encode()

        return [replaced(pair) if name in ("*", _name(pair)) else pair for pair in pairs]

    return change


def _pair(name: str, value: Template | None, exchange: Exchange) -> bytes:
    key = quoted_value(name)
    return (key if value is None else f"{key}={quoted_value(value.read(exchange))}").encode()


def _name(pair: bytes) -> str:
    return _decoded(pair.partition(b"=")[0])


def _decoded(text: bytes) -> str:
    return unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8", "surrogateescape")
