"""W312: access is decided by something that is hardly ever right without a setting, and that is not written."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.declare.bind import Bound
from edgescript.declare.kinds import EXPRESSION
from edgescript.lint.facts import Facts
from edgescript.text.problem import Problem
from edgescript.text.source import Span


def check(facts: Facts) -> Iterator[Problem]:
    """One for each setting, at the first place that relies on it."""
    written = {line.words[0].value for line in facts.analysis.file.settings if line.words}
    for setting, name, span in _reliances(facts):
        if setting not in written:
            written.add(setting)
            message = f"{name} decides here, and without {setting} it is the address of whatever proxy stands in front"
            hint = f"write {setting} in the global block; if there is no proxy in front, write remote_ip here"
            yield Problem("W312", message, span, hint=hint)


def _reliances(facts: Facts) -> Iterator[tuple[str, str, Span]]:
    matchers: list[Bound] = [bound for bound in facts.entries if bound.declaration.shelf == "matchers"]
    for bound in matchers:
        for setting in bound.declaration.relies_on:
            yield setting, bound.declaration.name, bound.span()
    for value in facts.of_kind(EXPRESSION):
        for name in value.value.names:
            placeholder = facts.placeholder(name)
            for setting in () if placeholder is None else placeholder.relies_on:
                yield setting, name, value.span(value.value.text)
