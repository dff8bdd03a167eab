"""Fixes carried out on the texts that they are for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edgescript.text.problem import Edit, Fix, Problem
from edgescript.text.source import Source


def applied(fixes: Iterable[Fix]) -> dict[Source, str]:
    """The texts of all sources that the fixes change; their edits must not touch each other (`compatible`)."""
    edits: dict[Source, list[Edit]] = {}
    for fix in fixes:
        for edit in fix.edits:
            edits.setdefault(edit.span.source, []).append(edit)
    return {source: _edited(source.text, found) for source, found in edits.items()}


def compatible(problems: Iterable[Problem]) -> list[Problem]:
    """Of problems with a fix, those that can be carried out together: of two that touch, the first."""
    taken: list[Edit] = []
    chosen: list[Problem] = []
    for problem in problems:
        if problem.fix is not None and not any(_touch(edit, other) for edit in problem.fix.edits for other in taken):
            taken += problem.fix.edits
            chosen.append(problem)
    return chosen


def _touch(one: Edit, other: Edit) -> bool:
    """Whether two edits overlap or stand side by side."""
    first, second = one.span, other.span
    return first.source is second.source and first.start <= second.end and second.start <= first.end


def _edited(text: str, edits: Sequence[Edit]) -> str:
    parts = []
    position = 0
    for edit in sorted(edits, key=lambda edit: edit.span[1:3]):
        parts += [text[position : edit.span.start], edit.text]
        position = edit.span.end
    return "".join([*parts, text[position:]])
