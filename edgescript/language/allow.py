"""`# edge: allow W201`: comments that say which warnings are meant to be so.

Behind a line, or alone above it, such a comment holds for that line with its block; as the very first thing of a file it holds
for the whole file. Several codes stand behind each other; a `:` or `-` begins a reason. Errors cannot be allowed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from edgescript.language.tree import Line, Tree, Word
from edgescript.text.problem import Problem, Severity
from edgescript.text.source import Source, Span

_COMMENT = re.compile(r"#\s*edge:(?P<said>.*)")
_ALLOW = re.compile(r"\s*allow\b(?P<codes>[^:—]*?)(?:$|[:—]|\s-)")


@dataclass(frozen=True, slots=True, eq=False)
class Allowance:
    """One comment."""

    #: The comment itself.
    span: Span
    #: Where it holds.
    start: int
    end: int
    #: As written, each with its place; empty where the comment says something else than `allow`.
    codes: tuple[tuple[str, Span], ...]
    #: Those that had something to allow.
    used: set[str] = field(default_factory=set)

    def holds_at(self, position: int) -> bool:
        return self.start <= position < self.end


class _Nested:
    """Those of one file. Blocks lie in each other or apart, so of each it is enough to know the next one around it."""

    def __init__(self, found: Iterable[Allowance]) -> None:
        self.all = sorted(found, key=lambda one: (one.start, -one.end))
        self._starts = [one.start for one in self.all]
        self._around: list[int] = []
        for number, one in enumerate(self.all):
            outer = number - 1
            while outer >= 0 and not self.all[outer].holds_at(one.start):
                outer = self._around[outer]
            self._around.append(outer)

    def at(self, position: int) -> Iterator[Allowance]:
        """Those that hold at a position, the innermost first."""
        number = bisect_right(self._starts, position) - 1
        while number >= 0:
            if self.all[number].holds_at(position):
                yield self.all[number]
            number = self._around[number]


class Allowances:
    """All of a file's, and of the files that it imports."""

    def __init__(self, trees: Iterable[Tree]) -> None:
        self._of: dict[Source, _Nested] = {}
        for tree in trees:
            if "edge:" in tree.source.text:
                self._of[tree.source] = _Nested(_allowances(tree))

    def __iter__(self) -> Iterator[Allowance]:
        for found in self._of.values():
            yield from found.all

    def left(self, problems: Sequence[Problem]) -> list[Problem]:
        """The problems that are not allowed."""
        return [problem for problem in problems if not self._allows(problem)] if self._of else list(problems)

    def _allows(self, problem: Problem) -> bool:
        if problem.severity is Severity.ERROR:
            return False
        allowed = False
        for one in self.at(problem.span):
            if any(code == problem.code for code, _ in one.codes):
                one.used.add(problem.code)
                allowed = True
        return allowed

    def at(self, span: Span | None) -> Iterator[Allowance]:
        """Those that hold where a span was written, and at each import that brought it here."""
        while span is not None and self._of:
            if span.source in self._of:
                yield from self._of[span.source].at(span.start)
            span = span.imported


def _allowances(tree: Tree) -> Iterator[Allowance]:
    first = next((line for line in tree.lines if line.words or line.comment or line.block is not None), None)
    if first is not None and not first.words and first.comment is not None and first.block is None:
        yield from _allowance(first.comment, tree.source, 0, len(tree.source.text))
    yield from _of_lines(tree.lines, tree.source, first)


def _of_lines(lines: Sequence[Line], source: Source, first: Line | None) -> Iterator[Allowance]:
    above: list[Word] = []
    for line in lines:
        if not line.words and line.block is None:
            if line.comment is not None and line is not first:
                above.append(line.comment)
            continue
        for comment in (*above, line.comment, line.block_comment):
            if comment is not None:
                yield from _allowance(comment, source, line.start, line.end)
        above = []
        if line.block is not None:
            yield from _of_lines(line.block, source, first)
    for comment in above:  # nothing stands below it
        yield from _allowance(comment, source, comment.start, comment.end)


def _allowance(comment: Word, source: Source, start: int, end: int) -> Iterator[Allowance]:
    said = _COMMENT.match(comment.value)
    if said is None:
        return
    span = Span(source, comment.start, comment.end)
    allow = _ALLOW.match(said["said"])
    codes: list[tuple[str, Span]] = []
    if allow is not None:
        offset = comment.start + said.start("said") + allow.start("codes")
        codes = [
            (code[0], Span(source, offset + code.start(), offset + code.end()))
            for code in re.finditer(r"[^\s,]+", allow["codes"])
        ]
    yield Allowance(span, start, end, tuple(codes))
