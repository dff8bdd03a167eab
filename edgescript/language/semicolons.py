"""`;` at the end of lines, as nginx has it: one problem for all of them, and the lines are read without."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from edgescript.language.tree import Line, Origin, Word
from edgescript.text.problem import Edit, Fix, Problem
from edgescript.text.source import Span

#: Whether a text has any, for those that do not.
AT_LINE_END = re.compile(r";[ \t]*+(?:#[^\n]*+)?(?:\r?\n|\}|\Z)")


def without_semicolons(lines: Sequence[Line], origin: Origin) -> list[Problem]:
    """Take the `;` off the last word of lines. Quotes say that it is meant."""
    found = [(line, list(_taken_off(line))) for line in lines]
    # Of a block in one line, the braces are reported, and their fix takes these out too.
    places = [at for line, semicolons in found for at in semicolons if not _is_inside_physical_line(line)]
    spans = [Span(origin.source, at, at + 1, origin.imported) for at in places]
    if not spans:
        return []
    message = "a line ends without a semicolon here"
    title = "take it out" if len(spans) == 1 else f"take out all {len(spans)} of them"
    fix = Fix(title, tuple([Edit(span, "") for span in spans]), safe=True)
    return [Problem("E017", message, spans[0], hint=f'{title}; a ";" that is meant stands in quotes', fix=fix)]


def _taken_off(line: Line) -> Iterator[int]:
    words = line.words
    if words and _is_inside_physical_line(line):
        _keep_first_statement(words)
    if words and not words[-1].quote and words[-1].value.endswith(";"):
        last = words.pop()
        kept = last.value.rstrip(";")
        if kept or not words:
            words.append(Word(kept or last.value, last.start, last.start + len(kept or last.value)))
        if kept or words[-1].value != last.value:
            yield from range(last.start + len(kept), last.end)


def _is_inside_physical_line(line: Line) -> bool:
    return line.start > 0 and line.origin.source.text[line.start - 1] != "\n"


def _keep_first_statement(words: list[Word]) -> None:
    """Of `{ root /srv; files; }` in one line, which is reported for its braces, what is behind the first `;` is not read."""
    for number, word in enumerate(words):
        if not word.quote and word.value.endswith(";"):
            del words[number + 1 :]
