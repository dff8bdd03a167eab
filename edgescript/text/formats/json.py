"""Problems as a JSON array with one object for each; lines and columns count from 1, columns in characters."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from edgescript.text.problem import Fix, Problem
from edgescript.text.source import Span


def render(problems: Iterable[Problem]) -> str:
    return json.dumps([_object(problem) for problem in problems], indent=2) + "\n"


def _object(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": problem.severity.value,
        "message": problem.message,
        **_coordinates(problem.span),
        "notes": [{"message": note.message, **_coordinates(note.span)} for note in problem.notes],
        "hint": problem.hint,
        "fix": None if problem.fix is None else _fix(problem.fix),
    }


def _fix(fix: Fix) -> dict[str, Any]:
    edits = [{**_range(edit.span), "text": edit.text} for edit in fix.edits]
    return {"title": fix.title, "safe": fix.safe, "edits": edits}


def _coordinates(span: Span | None) -> dict[str, Any]:
    if span is None:
        return {"file": None}
    return {**_range(span), "imported": list(_imports(span))}


def _range(span: Span) -> dict[str, Any]:
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }


def _imports(span: Span) -> Iterator[dict[str, Any]]:
    outer = span.imported
    while outer is not None:
        line, column = outer.source.position(outer.start)
        yield {"file": outer.source.name, "line": line, "column": column}
        outer = outer.imported
