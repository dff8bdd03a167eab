"""Problems as people and tools read them."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from edgescript.text.problem import Note, Problem
from edgescript.text.source import Span

#: Columns of a source line that are shown; of a longer one, those around the span.
_WIDTH = 120
_TAB = 4

#: Colours a text by the role that it plays, or leaves it alone.
_Paint = Callable[[str, str], str]

_COLOURS = {"error": "1;31", "warning": "1;33", "note": "1;36", "hint": "1;32", "gutter": "1;34", "message": "1"}


def as_text(problems: Iterable[Problem], *, colour: bool = False) -> str:
    """Each problem with its place, the source line with the span underlined, notes, imports and the hint."""
    paint = _paint if colour else _plain
    return "".join("\n".join(_block(problem, paint)) + "\n\n" for problem in problems)


def as_json(problems: Iterable[Problem]) -> str:
    """A JSON array with one object for each problem; lines and columns count from 1, columns in characters."""
    return json.dumps([_object(problem) for problem in problems], indent=2) + "\n"


# Text


def _plain(text: str, role: str) -> str:
    return text


def _paint(text: str, role: str) -> str:
    return f"\x1b[{_COLOURS[role]}m{text}\x1b[0m" if text else text


def _block(problem: Problem, paint: _Paint) -> Iterator[str]:
    severity = problem.severity.value
    yield paint(f"{severity}[{problem.code}]", severity) + paint(f": {_clean(problem.message)}", "message")
    gutter = _gutter(problem)
    if problem.span is not None:
        yield from _place(problem.span, gutter, severity, paint)
        yield from _imports(problem.span, gutter, paint)
    for note in problem.notes:
        yield from _note(note, gutter, paint)
    if problem.hint:
        yield f"{' ' * gutter} {paint('=', 'gutter')} {paint('hint', 'hint')}: {_clean(problem.hint)}"


def _gutter(problem: Problem) -> int:
    """The width of the widest line number in a block."""
    spans = [problem.span, *(note.span for note in problem.notes)]
    return max((len(str(span.source.position(span.start)[0])) for span in spans if span is not None), default=1)


def _place(span: Span, gutter: int, role: str, paint: _Paint) -> Iterator[str]:
    number, column = span.source.position(span.start)
    line = span.source.line(number)
    before, marked = line[: column - 1], line[column - 1 : column - 1 + span.end - span.start]
    shown, start, length = _window(before, marked, line[len(before) + len(marked) :])
    bar = paint("|", "gutter")
    yield f"{' ' * gutter}{paint('-->', 'gutter')} {_clean(str(span))}"
    yield f"{' ' * gutter} {bar}"
    yield f"{paint(f'{number:>{gutter}}', 'gutter')} {bar} {shown}".rstrip()
    yield f"{' ' * gutter} {bar} {' ' * start}{paint('^' * length, role)}"


def _window(before: str, marked: str, after: str) -> tuple[str, int, int]:
    """A line as it is shown, and where in it the underline starts and how long it is, all in columns."""
    first = _expanded(before[-4 * _WIDTH :], 0)
    middle = _expanded(marked[:_WIDTH], _columns(first))
    last = _expanded(after[:_WIDTH], _columns(first) + _columns(middle))
    if len(before) > 4 * _WIDTH or _columns(first) + _columns(middle) > _WIDTH:
        first = f"…{first[-_WIDTH // 2 :]}"
    room = max(_WIDTH - _columns(first) - _columns(middle), 0)
    cut = "…" if len(last) > room or len(after) > _WIDTH or len(marked) > _WIDTH else ""
    return first + middle + last[:room] + cut, _columns(first), max(_columns(middle), 1)


def _expanded(text: str, column: int) -> str:
    """The text with its tabs as spaces, where it begins at a column."""
    parts = []
    for character in text:
        shown = " " * (_TAB - column % _TAB) if character == "\t" else _clean(character)
        parts.append(shown)
        column += _columns(shown)
    return "".join(parts)


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes (UAX 11): East Asian wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.category(character) in ("Mn", "Me", "Cf")
        else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )


def _clean(text: str) -> str:
    """The text without anything that would move a terminal's cursor, change its colours or turn its direction."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or unicodedata.category(character) == "Zs" else "\ufffd"
        for character in text
    )


def _imports(span: Span, gutter: int, paint: _Paint) -> Iterator[str]:
    imported = span.imported
    while imported is not None:
        yield f"{' ' * gutter} {paint('=', 'gutter')} imported at {_clean(str(imported))}"
        imported = imported.imported


def _note(note: Note, gutter: int, paint: _Paint) -> Iterator[str]:
    yield f"{' ' * gutter} {paint('=', 'gutter')} {paint('note', 'note')}: {_clean(note.message)}"
    if note.span is not None:
        yield from _place(note.span, gutter, "note", paint)


# JSON


def _object(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": problem.severity.value,
        "message": problem.message,
        **_coordinates(problem.span),
        "notes": [{"message": note.message, **_coordinates(note.span)} for note in problem.notes],
        "hint": problem.hint,
    }


def _coordinates(span: Span | None) -> dict[str, Any]:
    if span is None:
        return {"file": None}
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    imported: list[dict[str, Any]] = []
    outer = span.imported
    while outer is not None:
        outer_line, outer_column = outer.source.position(outer.start)
        imported.append({"file": outer.source.name, "line": outer_line, "column": outer_column})
        outer = outer.imported
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "imported": imported,
    }
