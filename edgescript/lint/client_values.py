"""Where a client chooses how a value begins: the placeholders that it fills in, in front of anything fixed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from edgescript.declare.fields import Risk
from edgescript.lint.facts import Facts, Value, part_of
from edgescript.text.source import Span

PLACEHOLDER = re.compile(r"(?<!\\)\{([A-Za-z_][\w-]*(?:\.[^\s{}:;,\"'`()\\]+)?)\}")


class Found(NamedTuple):
    """A placeholder at a place where its value is dangerous."""

    value: Value
    name: str
    span: Span


def risky(facts: Facts, risk: Risk, head_of: Callable[[str], str]) -> Iterator[Found]:
    """The placeholders of clients in the heads of all values that have a risk."""
    for value in facts.values:
        if value.slot.field.risk is risk:
            text: str = value.value.text
            for name in chosen(facts, head_of(text)):
                yield Found(value, name, part_of(value.span(text), f"{{{name}}}"))


def chosen(facts: Facts, head: str) -> list[str]:
    """The placeholders in a text that a client fills in as it likes; one is enough to tell."""
    return [name for name in PLACEHOLDER.findall(head) if facts.is_from_client(name)][:1]


_ORIGIN = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?[/\\]{2}")
_BODY = re.compile(r"(?:\{[^{}]*\}|[^/?#{}])*")


def origin(url: str) -> str:
    """The part of a URL that says where it leads: scheme and authority; of a path nothing."""
    found = _ORIGIN.match(url)
    start = 0 if found is None else found.end()
    if found is None and url.startswith(("/", "?", "#")):
        return ""
    body = _BODY.match(url, start)
    return "" if body is None else body[0]


def before_anything_fixed(path: str) -> str:
    """The placeholders that a path begins with."""
    found = re.match(r"[./]*((?:\{[^{}]*\}/?)*)", path)
    return "" if found is None else found[1]
