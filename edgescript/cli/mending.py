"""`edge validate --fix`: safe fixes, carried out round after round until none is left, in the file and in those it imports.

Nothing is written here; texts come out. What would add an error is left undone, and where there are more
in the end than before, everything is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from edgescript.language.files import read_file, standard_names
from edgescript.text.mend import applied, compatible
from edgescript.text.problem import Problem, Severity
from edgescript.text.source import Source

#: Each round mends what the one before brought to light, or what stood too close to something else.
_MOST_ROUNDS = 10
#: How often the files are looked at in a round to find those fixes that do no harm, where all together do.
_MOST_TRIALS = 20

#: What is wrong with a source, where a function reads the files that it imports.
Check = Callable[[Source, Callable[[str], bytes]], Sequence[Problem]]


@dataclass(slots=True)
class Mended:
    """What came out."""

    source: Source
    #: New texts of imported files, by name.
    others: dict[str, str] = field(default_factory=dict)
    #: The problems that were mended, each at its place in the text before its round.
    problems: list[Problem] = field(default_factory=list)


def mended(source: Source, check: Check) -> Mended:
    """The text of a file, and of the files it imports, with every safe fix carried out that leaves no more errors."""
    now = Mended(source)
    problems = before = check(source, now_reading(now))
    for _ in range(_MOST_ROUNDS):
        step = _step(now, compatible(filter(_may_be_fixed, problems)), problems, check)
        if step is None:
            break
        now, problems = step
    return now if _errors(problems) <= _errors(before) else Mended(source)


def now_reading(mended: Mended) -> Callable[[str], bytes]:
    """Reads files as they are by now."""

    def read(name: str) -> bytes:
        text = mended.others.get(name)
        return read_file(name) if text is None else text.encode("utf-8", "surrogateescape")

    return read


def _may_be_fixed(problem: Problem) -> bool:
    """The standard library is not the writer's."""
    if problem.fix is None or not problem.fix.safe:
        return False
    shipped = {f"std/{name}.edge" for name in standard_names()}
    return all(edit.span.source.name not in shipped for edit in problem.fix.edits)


def _step(
    now: Mended, chosen: Sequence[Problem], problems: Sequence[Problem], check: Check
) -> tuple[Mended, Sequence[Problem]] | None:
    """One round: all that were chosen if that does what it should, or those that do no harm; None where none is left."""
    if not chosen:
        return None
    then, after = _carried_out(now, chosen, check)
    if _errors(after) <= _errors(problems) - _errors(chosen):
        return then, after
    harmless = list(_harmless(now, chosen, problems, check))
    return _carried_out(now, harmless, check) if harmless else None


def _harmless(now: Mended, chosen: Sequence[Problem], problems: Sequence[Problem], check: Check) -> Iterator[Problem]:
    """Those that add no error: each looked at alone, or where they are too many, all that say the same together."""
    alike: dict[tuple[str, str], list[Problem]] = {}
    for problem in chosen:
        alike.setdefault(_said(problem), []).append(problem)
    trials = _MOST_TRIALS
    for group in alike.values():
        alone = [[one] for one in group] if len(group) <= trials else [group]
        trials -= len(alone)
        if trials >= 0:
            yield from (one for tried in alone if _does_no_harm(tried, now, problems, check) for one in tried)


def _does_no_harm(fixed: Sequence[Problem], now: Mended, problems: Sequence[Problem], check: Check) -> bool:
    """Whether there are no more errors after fixes; what they bring to light does not count where it can be mended as well."""
    then, after = _carried_out(now, fixed, check)
    if _errors(after) <= _errors(problems):
        return True
    known = set(map(_said, problems))
    brought = compatible(problem for problem in after if _may_be_fixed(problem) and _said(problem) not in known)
    return bool(brought) and _errors(_carried_out(then, brought, check)[1]) <= _errors(problems)


def _carried_out(now: Mended, chosen: Sequence[Problem], check: Check) -> tuple[Mended, Sequence[Problem]]:
    """The texts with these fixes, and what is wrong with them then."""
    source, others = now.source, dict(now.others)
    for changed, text in applied(problem.fix for problem in chosen if problem.fix is not None).items():
        if changed.name == source.name:
            source = Source(source.name, text)
        else:
            others[changed.name] = text
    then = Mended(source, others, [*now.problems, *chosen])
    return then, check(then.source, now_reading(then))


def _errors(problems: Sequence[Problem]) -> int:
    return sum(problem.severity is Severity.ERROR for problem in problems)


def _said(problem: Problem) -> tuple[str, str]:
    return problem.code, problem.message
