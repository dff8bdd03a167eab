"""W315: an expression that looks at nothing of the request, and so is always the same."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.declare.kinds import EXPRESSION
from edgescript.lint.facts import Facts
from edgescript.text.problem import Problem

CERTAIN = True


def check(facts: Facts) -> Iterator[Problem]:
    for value in facts.of_kind(EXPRESSION):
        # What an import or the environment gives may well make it another one elsewhere.
        span = value.span(value.value.text)
        if not value.value.names and value.value.text in span.source.text[span.start : span.end]:
            message = "this expression looks at nothing of the request, so it is always the same"
            hint = 'compare something that the request has: `method == "GET"`'
            yield Problem("W315", message, span, hint=hint)
