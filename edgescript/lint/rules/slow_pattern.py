"""W311: a regular expression that a short text keeps busy for ever."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.lint.facts import Facts
from edgescript.text.problem import Problem

CERTAIN = True


def check(facts: Facts) -> Iterator[Problem]:
    if not facts.patterns:
        return
    from edgescript.lint.backtracking import explodes  # most files do without

    for pattern, span in facts.patterns:
        if explodes(pattern):
            message = "this regular expression can take for ever: the same text fits a repeated part in many ways"
            hint = "let one way be left: no repeat inside a repeat that can match the same, as in ([a-z]+)*"
            yield Problem("W311", message, span, hint=hint)
