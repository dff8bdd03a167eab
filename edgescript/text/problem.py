"""Diagnostics: what is wrong with an Edgefile, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple, Self

from edgescript.text.source import Span


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"


class Note(NamedTuple):
    """A second place that the problem is about ("first defined here")."""

    message: str
    span: Span | None = None


class Edit(NamedTuple):
    """One change of a text: what stands in `span` (nothing, where it is empty) is replaced."""

    span: Span
    text: str


class Fix(NamedTuple):
    """A change that mends a problem, which a machine can carry out."""

    #: What it does, for a person to choose: `write "proxy"`.
    title: str
    edits: tuple[Edit, ...]
    #: It says what the writer must have meant, so that `edge validate --fix` may apply it unasked.
    safe: bool = False


class Hint(str):
    """
    What to do, in words, and where that is to write something else at the place of the problem, also what.

    A hint is a text like any other, so it passes through whoever only hands it on.
    """

    __slots__ = ("instead", "safe")
    #: What should stand there, as it would be written in the file; None where the words are all there is.
    instead: str | None
    #: As in `Fix`.
    safe: bool

    def __new__(cls, words: str, instead: str | None = None, *, safe: bool = False) -> Self:
        hint = super().__new__(cls, words)
        hint.instead = instead
        hint.safe = safe
        return hint

    def around(self, before: str, after: str) -> Hint:
        """The same hint for a place that has more around it."""
        return Hint(self, None if self.instead is None else f"{before}{self.instead}{after}", safe=self.safe)


def fix_of(hint: str | None, span: Span | None) -> Fix | None:
    """The fix that a hint means at a place."""
    if not isinstance(hint, Hint) or hint.instead is None or span is None:
        return None
    return replacement(span, hint.instead, safe=hint.safe)


def replacement(span: Span, text: str, *, safe: bool) -> Fix:
    """A fix that writes a text in place of what stands at a span."""
    mark = "`" if '"' in text else '"'
    return Fix(f"write {mark}{text}{mark}" if text else "take it out", (Edit(span, text),), safe)


class Problem(NamedTuple):
    """One diagnostic. `code` is stable (`pages.py` has a page for each) and decides the severity: E… or W…."""

    code: str
    #: What is wrong, with what was expected: one sentence, lower-case start, no full stop.
    message: str
    span: Span | None
    notes: tuple[Note, ...] = ()
    #: What to do: `did you mean "proxy"?`
    hint: str | None = None
    fix: Fix | None = None
    #: What stands at the span is a secret, which is not shown again.
    is_secret: bool = False

    @property
    def severity(self) -> Severity:
        return Severity.ERROR if self.code.startswith("E") else Severity.WARNING


class StartFailed(Exception):
    """
    What a graph needs did not start, and that is a problem at a place of its Edgefile.

    Raised by the `start` of what a graph keeps, and so by the graph's; the graph is not used then.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.span}: {problem.message}" if problem.span is not None else problem.message)
        self.problem = problem


#: Names that a word is compared with; longer words are no names.
_MOST_NAMES = 500
_LONGEST_NAME = 200


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that `word` was probably meant to be, or None."""
    if len(word) > _LONGEST_NAME:
        return None
    import difflib  # a file without mistakes does without

    names = list(known)
    if len(names) > _MOST_NAMES:  # comparing takes long
        names = [name for name in names if name[:1] == word[:1] and abs(len(name) - len(word)) < 2][:_MOST_NAMES]
    found = difflib.get_close_matches(word, names, n=5, cutoff=0.6)
    return max(found, key=lambda name: _likeness(word, name), default=None)


def _likeness(word: str, name: str) -> float:
    """How alike two words are; those who mistake the end of a word get its beginning right (`retries`: retry, not rewrite)."""
    import difflib

    same = next((number for number, pair in enumerate(zip(word, name, strict=False)) if len(set(pair)) > 1), 0)
    return difflib.SequenceMatcher(None, word, name).ratio() + 0.25 * same / max(len(word), len(name))


def did_you_mean(word: str, known: Iterable[str]) -> Hint | None:
    """A hint that names the nearest known name, which is a guess, or None."""
    found = nearest(word, known)
    return None if found is None else Hint(f'did you mean "{found}"?', found)


def it_is_called(name: str) -> Hint:
    """A hint that names what goes by another name elsewhere and is written in the same way."""
    return Hint(f'it is called "{name}" here', name, safe=True)


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """
    The problems of each source from top to bottom, sources in the order of their first problem, and each problem once.

    What is wrong with a snippet is found wherever it is imported, and told where it was imported first.
    """
    sources: dict[object, int] = {}
    found: dict[tuple[object, ...], Problem] = {}
    for problem in problems:
        span = problem.span
        source = None if span is None else span.source
        place = (
            sources.setdefault(source, len(sources)),
            -1 if span is None else span.start,
            0 if span is None else span.end,
        )
        found.setdefault((*place, problem.code, problem.message), problem)
    return [problem for _, problem in sorted(found.items(), key=lambda item: item[0][:2])]
