"""Problems as commands of GitHub's workflow log, which shows them beside the lines of a pull request.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from edgescript.text.problem import Problem
from edgescript.text.source import Span

_IN_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY = _IN_DATA | str.maketrans({":": "%3A", ",": "%2C"})


def render(problems: Iterable[Problem]) -> str:
    return "".join(map(_command, problems))


def _command(problem: Problem) -> str:
    properties = [*(_place(problem.span) if problem.span is not None else ()), ("title", problem.code)]
    written = ",".join(f"{name}={_escaped(str(value), _IN_PROPERTY)}" for name, value in properties)
    return f"::{problem.severity.value} {written}::{_escaped(chr(10).join(_lines(problem)), _IN_DATA)}\n"


def _place(span: Span) -> Iterator[tuple[str, str | int]]:
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    yield "file", span.source.name
    yield "line", line
    yield "endLine", end_line
    if line == end_line:  # of several lines, columns are not taken
        yield "col", column
        yield "endColumn", max(end_column - 1, column)


def _lines(problem: Problem) -> Iterator[str]:
    yield problem.message
    outer = problem.span.imported if problem.span is not None else None
    while outer is not None:
        yield f"imported at {outer}"
        outer = outer.imported
    for note in problem.notes:
        yield f"note: {note.message}" + (f" ({note.span})" if note.span is not None else "")
    if problem.hint:
        yield f"hint: {problem.hint}"


def _escaped(text: str, table: dict[int, str]) -> str:
    text = text.encode("utf-8", "replace").decode()  # lone surrogates have no place in a log
    return text.translate(table)
