"""Problems as people read them; the formats for tools stand in `formats/`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

from edgescript.text.problem import Fix, Hint, Note, Problem
from edgescript.text.source import Source, Span

#: Columns of a source line that are shown; of a longer one, those around the span.
_WIDTH = 120
_TAB = 4
#: Characters of a message or hint.
_LONGEST = 1000

#: Colours a text by the role that it plays, or leaves it alone.
_Paint = Callable[[str, str], str]

_COLOURS = {"error": "1;31", "warning": "1;33", "note": "1;36", "hint": "1;32", "gutter": "1;34", "message": "1"}


def as_text(problems: Iterable[Problem], *, colour: bool = False) -> str:
    """Each problem with its place, the source line with the span underlined, notes, imports and the hint."""
    paint = _paint if colour else _plain
    return "".join("\n".join(_block(problem, paint)) + "\n\n" for problem in _without_secrets(list(problems)))


#: Of a URL with a user and a password, which may have an `@` that should have been written otherwise.
_PASSWORD = re.compile(r"(://[^\s/:@{}]*:)([^\s{}]+)(?=@)")
#: Of a line that begins with the name of a secret, or nearly so: a problem may be that the name is misspelled.
_NAMED = re.compile(r"(?im)^([ \t]*[\w.-]*(?:passw|passphrase|secret)[\w.-]*[ \t]+)(\S.*)$")
_WRITTEN_OUT = re.compile(r"(?<!\S)[^\s{}/][^\s{}]*(?!\S)")


def _without_secrets(problems: list[Problem]) -> list[Problem]:
    """
    The problems with places in texts that have stars for every secret that one of the problems is about, for passwords in
    URLs, and for what stands behind the name of a secret.
    """
    shown: dict[Source, Source] = {}
    for problem in problems:
        if problem.span is not None and problem.span.source not in shown:
            source = problem.span.source
            text = _PASSWORD.sub(lambda found: found[1] + "*" * len(found[2]), source.text)
            text = _NAMED.sub(lambda found: found[1] + _WRITTEN_OUT.sub(_stars, found[2]), text)
            if text != source.text:
                shown[source] = Source(source.name, text)
    for problem in problems:
        if problem.is_secret and problem.span is not None:
            source, start, end, _ = problem.span
            text = shown.get(source, source).text
            stars = re.sub(r"\S", "*", text[start:end])
            shown[source] = Source(source.name, text[:start] + stars + text[end:])
    return [_shown_in(shown, problem) for problem in problems] if shown else problems


def _stars(found: re.Match[str]) -> str:
    return "*" * len(found[0])


def _shown_in(shown: dict[Source, Source], problem: Problem) -> Problem:
    def moved(span: Span | None) -> Span | None:
        return None if span is None else span._replace(source=shown.get(span.source, span.source))

    notes = tuple([note._replace(span=moved(note.span)) for note in problem.notes])
    return problem._replace(span=moved(problem.span), notes=notes)


def _plain(text: str, role: str) -> str:
    return text


def _paint(text: str, role: str) -> str:
    return f"\x1b[{_COLOURS[role]}m{text}\x1b[0m" if text else text


def _block(problem: Problem, paint: _Paint) -> Iterator[str]:
    severity = problem.severity.value
    yield paint(f"{severity}[{problem.code}]", severity) + paint(f": {_said(problem.message)}", "message")
    gutter = _gutter(problem)
    if problem.span is not None:
        yield from _place(problem.span, gutter, severity, paint)
        yield from _imports(problem.span, gutter, paint)
    for note in problem.notes:
        yield from _note(note, gutter, paint)
    if problem.hint:
        yield _remark(gutter, "hint", problem.hint, paint)
    if problem.fix is not None and _says_more(problem.fix, problem.hint):
        yield _remark(gutter, "fix", problem.fix.title, paint)


def _remark(gutter: int, what: str, text: str, paint: _Paint) -> str:
    return f"{' ' * gutter} {paint('=', 'gutter')} {paint(what, 'hint')}: {_said(text)}"


def _said(text: str) -> str:
    """A sentence, without most of the megabytes that it may have been told about."""
    return clean(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def _says_more(fix: Fix, hint: str | None) -> bool:
    """Whether a fix does something that the hint does not say."""
    return not (isinstance(hint, Hint) and hint.instead is not None) and fix.title not in (hint or "")


def _gutter(problem: Problem) -> int:
    """The width of the widest line number in a block."""
    spans = [problem.span, *(note.span for note in problem.notes)]
    return max((len(str(_last_line(span))) for span in spans if span is not None), default=1)


def _last_line(span: Span) -> int:
    """The line of the last character of a span."""
    return span.source.position(max(span.end - 1, span.start))[0]


def _place(span: Span, gutter: int, role: str, paint: _Paint) -> Iterator[str]:
    first, column = span.source.position(span.start)
    last = _last_line(span)
    bar = paint("|", "gutter")
    yield f"{' ' * gutter}{paint('-->', 'gutter')} {clean(str(span))}"
    yield f"{' ' * gutter} {bar}"
    yield from _line(span, first, column, gutter=gutter, role=role, paint=paint)
    if last > first:
        if last > first + 1:
            yield paint("…", "gutter")
        indent = len(span.source.line(last)) - len(span.source.line(last).lstrip())
        yield from _line(span, last, indent + 1, gutter=gutter, role=role, paint=paint)


def _line(span: Span, number: int, column: int, *, gutter: int, role: str, paint: _Paint) -> Iterator[str]:
    """One line of the source, and below it an underline from a column to where the span ends, or the line does."""
    line = span.source.line(number)
    end_line, end_column = span.source.position(span.end)
    end = end_column - 1 if end_line == number else len(line)
    before, marked = line[: column - 1], line[column - 1 : max(end, column - 1)]
    shown, start, length = _window(before, marked, line[len(before) + len(marked) :])
    bar = paint("|", "gutter")
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
        shown = " " * (_TAB - column % _TAB) if character == "\t" else clean(character)
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


def clean(text: str) -> str:
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
        yield f"{' ' * gutter} {paint('=', 'gutter')} imported at {clean(str(imported))}"
        imported = imported.imported


def _note(note: Note, gutter: int, paint: _Paint) -> Iterator[str]:
    yield f"{' ' * gutter} {paint('=', 'gutter')} {paint('note', 'note')}: {clean(note.message)}"
    if note.span is not None:
        yield from _place(note.span, gutter, "note", paint)
