"""What people write who come from other servers, and what it is here: `grammar/mistakes/`, a file for each mistake.

A file is TOML:

- `at`: where the mistake is met: at an unknown "directive", "option", "setting" or "matcher"; at a "site" whose address cannot
  be; on a "line" whose values do not fit; in a "value", or as an unknown "placeholder", both of which need a pattern;
- `words`: the names that it is recognised by; without, any;
- `pattern`: a regular expression for the line from its first word on; of a value, for the part that is wrong;
- `hint`: what to write, with `\\g<NAME>` for what the pattern found;
- `fix`: what replaces that (or the first word, where there is no pattern), and `safe`, that this needs no second thought;
- `contents`: what is below makes sense all the same; otherwise it is not read;
- `sample`: a text with the mistake, and `problem`: what is said about it, for the tests. A file that has nothing else shows
  what is recognised elsewhere.

The files are read when something is met that nobody knows, and not before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from edgescript.language.tree import Line
from edgescript.text.problem import Fix, replacement
from edgescript.text.source import Span

_HERE = Path(__file__).resolve()
#: In a wheel the grammar is part of the package; in a checkout it stands beside it.
_FOLDERS = (_HERE.parents[1] / "grammar" / "mistakes", _HERE.parents[2] / "grammar" / "mistakes")


class Mistake(NamedTuple):
    """One file."""

    at: str
    words: tuple[str, ...]
    pattern: re.Pattern[str] | None
    hint: str
    fix: str | None
    safe: bool
    contents: bool


class Answer(NamedTuple):
    """What is said about a mistake that was recognised."""

    hint: str
    fix: Fix | None
    #: Where it stands, as exactly as its pattern says.
    span: Span
    #: Whether what is below makes sense all the same.
    contents: bool


def recognised(at: str, line: Line) -> Answer | None:
    """What is said about a line that does not make sense at such a place, or None if it is nothing well-known."""
    text, start = line.origin.source.text, line.words[0].start
    text = text[start : line.words[-1].end]
    as_written = all(word.offset_in(line.origin.source.text) is not None for word in line.words)
    for mistake in _mistakes(at):
        if mistake.words and line.words[0].value not in mistake.words:
            continue
        match = re.match(r"\S+", text) if mistake.pattern is None else mistake.pattern.match(text)
        if match is not None:
            return _answer(mistake, match, line, start, as_written=as_written)
    return None


def in_value(at: str, value: str, line: Line, offset: int) -> Iterator[Answer]:
    """The mistakes of a "value" or "placeholder" in a text that begins at an offset of the source."""
    for mistake in _mistakes(at):
        assert mistake.pattern is not None
        for match in mistake.pattern.finditer(value):
            yield _answer(mistake, match, line, offset, as_written=True)


def _answer(mistake: Mistake, match: re.Match[str], line: Line, start: int, *, as_written: bool) -> Answer:
    span = Span(line.origin.source, start + match.start(), start + match.end(), line.origin.imported)
    hint = mistake.hint if mistake.pattern is None else match.expand(mistake.hint)
    fix = None
    if mistake.fix is not None and as_written:
        fix = replacement(span, match.expand(mistake.fix), safe=mistake.safe)
    return Answer(hint, fix, span, mistake.contents)


@cache
def _mistakes(at: str) -> list[Mistake]:
    """Those of a place, the ones that say most about what they are recognised by first."""
    of_place = [found for found in _all() if found.at == at]
    return sorted(of_place, key=lambda found: -len(found.pattern.pattern) if found.pattern is not None else 0)


@cache
def _all() -> list[Mistake]:
    import tomllib

    folder = next(folder for folder in _FOLDERS if folder.is_dir())
    read = [tomllib.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.toml"))]
    return [
        Mistake(
            found["at"],
            tuple(found.get("words", ())),
            re.compile(found["pattern"]) if "pattern" in found else None,
            found["hint"],
            found.get("fix"),
            found.get("safe", False),
            found.get("contents", False),
        )
        for found in read
        if "at" in found
    ]
