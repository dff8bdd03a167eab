"""Fixes carried out on the texts that they are for."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence

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
    taken: dict[Source, list[tuple[int, int]]] = {}
    chosen: list[Problem] = []
    for problem in problems:
        if problem.fix is not None and not any(_touches(edit, taken) for edit in problem.fix.edits):
            for edit in problem.fix.edits:
                insort(taken.setdefault(edit.span.source, []), edit.span[1:3])
            chosen.append(problem)
    return chosen


def _touches(edit: Edit, taken: Mapping[Source, Sequence[tuple[int, int]]]) -> bool:
    """Whether an edit overlaps one of those taken, which lie apart and in order, or stands side by side with it."""
    places = taken.get(edit.span.source, ())
    start, end = edit.span[1:3]
    behind = bisect_right(places, (end, len(edit.span.source.text)))  # the first that begins behind it
    return behind > 0 and places[behind - 1][1] >= start


def _edited(text: str, edits: Sequence[Edit]) -> str:
    parts = []
    position = 0
    for edit in sorted(edits, key=lambda edit: edit.span[1:3]):
        parts += [text[position : edit.span.start], edit.text]
        position = edit.span.end
    return "".join([*parts, text[position:]])
