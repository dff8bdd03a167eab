"""Problems as JSON has them, on their way from a worker to whoever asked for a reload: places name their source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edgescript.text.problem import Note, Problem
from edgescript.text.source import Source, Span

#: Problems that are told; whoever has more has seen enough.
MOST = 500


def as_data(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    return [
        {
            "code": problem.code,
            "message": problem.message,
            "span": _span(problem.span),
            "notes": [[note.message, _span(note.span)] for note in problem.notes],
            "hint": None if problem.hint is None else str(problem.hint),
            "secret": problem.is_secret,
        }
        for problem in problems[:MOST]
    ]


def _span(span: Span | None) -> list[Any] | None:
    return None if span is None else [span.source.name, span.start, span.end, _span(span.imported)]


def of_data(data: Sequence[Mapping[str, Any]], source: Callable[[str], Source]) -> list[Problem]:
    """
    The problems again.

    :param source: gives the source of a name
    """

    def place(found: Sequence[Any] | None) -> Span | None:
        return None if found is None else Span(source(found[0]), found[1], found[2], place(found[3]))

    return [
        Problem(
            one["code"],
            one["message"],
            place(one["span"]),
            tuple([Note(message, place(span)) for message, span in one["notes"]]),
            one["hint"],
            is_secret=one["secret"],
        )
        for one in data[:MOST]
    ]
