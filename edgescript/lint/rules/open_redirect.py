"""W308: a redirect leads wherever the client, or who made its link, wants."""

from __future__ import annotations

import re
from collections.abc import Iterator

from edgescript.declare.fields import Risk
from edgescript.declare.kinds import CHANGED_FIELD
from edgescript.lint.client_values import before_anything_fixed, chosen, origin, risky
from edgescript.lint.facts import Facts, part_of
from edgescript.text.problem import Problem
from edgescript.text.source import Span

#: Fields whose value leads a browser somewhere, and what stands before the URL in the second.
_LEADING = ("location", "refresh")
_DELAY = re.compile(r"\s*\d+\s*;\s*url=", re.IGNORECASE)
_HINT = "write the host out, and take only the path from the request: https://example.com{uri}"


def check(facts: Facts) -> Iterator[Problem]:
    for found in risky(facts, Risk.REDIRECT, origin):
        yield _problem(found.name, found.span)
    for value in facts.of_kind(CHANGED_FIELD):
        if value.value.lstrip("+?>").lower() in _LEADING:
            target = getattr(value.holder, "value", None)
            text = getattr(target, "text", "")
            for name in chosen(facts, _decides(_DELAY.sub("", text))):
                yield _problem(name, part_of(value.span(text), f"{{{name}}}"))


def _decides(url: str) -> str:
    """What says where a field leads. Unlike `redir`, it takes no second `/` out: `/{query.next}` may be `//evil.example`."""
    return origin(url) or (before_anything_fixed(url) if url.startswith("/") else "")


def _problem(name: str, span: Span) -> Problem:
    message = f"{{{name}}} decides to which site this redirect leads, and a client can write anything there"
    return Problem("W308", message, span, hint=_HINT)
