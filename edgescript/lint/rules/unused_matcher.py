"""W307: a named matcher that no directive uses."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.graph.bound import Definition
from edgescript.lint.facts import Facts
from edgescript.text.problem import Problem


def check(facts: Facts) -> Iterator[Problem]:
    main = facts.analysis.tree.source
    own = [each for each in facts.bound.definitions if each.span.source is main]
    if not own:
        return
    used = {_place(definition) for definition in facts.definitions}
    for definition in own:
        if _place(definition) not in used:  # of a snippet's matchers, one use anywhere is enough
            hint = f"write {definition.text} behind the name of a directive, or take it away"
            yield Problem("W307", f"no directive uses the matcher {definition.text}", definition.span, hint=hint)


def _place(definition: Definition) -> tuple[int, int]:
    return id(definition.span.source), definition.span.start
