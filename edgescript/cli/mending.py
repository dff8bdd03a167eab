"""`edge validate --fix`: safe fixes, carried out round after round until none is left, in the file and in those it imports.

Nothing is written here; texts come out. What would add an error is left undone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edgescript.language.files import read_file, standard_names
from edgescript.text.mend import applied, compatible
from edgescript.text.problem import Problem, Severity
from edgescript.text.source import Source

#: Each round mends what the one before brought to light, or what stood too close to something else.
_MOST_ROUNDS = 20
#: Fixes of a round that are tried one by one, where all together add an error.
_MOST_TRIALS = 50

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
    """The text of a file, and of the files it imports, with every safe fix carried out."""
    now = Mended(source)
    problems = check(source, now_reading(now))
    for _ in range(_MOST_ROUNDS):
        chosen = compatible(problem for problem in problems if _may_be_fixed(problem, now))
        step = _step(now, chosen, problems, check)
        if step is None:
            break
        now, problems = step
    return now


def now_reading(mended: Mended) -> Callable[[str], bytes]:
    """Reads files as they are by now."""

    def read(name: str) -> bytes:
        text = mended.others.get(name)
        return read_file(name) if text is None else text.encode("utf-8", "surrogateescape")

    return read


def _may_be_fixed(problem: Problem, now: Mended) -> bool:
    """The standard library is not the writer's, and what was typed through a pipe has no other files."""
    if problem.fix is None or not problem.fix.safe:
        return False
    shipped = {f"std/{name}.edge" for name in standard_names()}
    return all(edit.span.source.name not in shipped for edit in problem.fix.edits)


def _step(
    now: Mended, chosen: Sequence[Problem], problems: Sequence[Problem], check: Check
) -> tuple[Mended, Sequence[Problem]] | None:
    """One round: all that were chosen together, or those that do no harm alone; None where nothing is to be done."""
    if not chosen:
        return None
    together = _attempt(now, chosen, problems, check)
    if together is not None or len(chosen) == 1:
        return together
    harmless = [one for one in chosen[:_MOST_TRIALS] if _attempt(now, [one], problems, check) is not None]
    return _attempt(now, harmless, problems, check) if harmless else None


def _attempt(
    now: Mended, chosen: Sequence[Problem], before: Sequence[Problem], check: Check
) -> tuple[Mended, Sequence[Problem]] | None:
    """The texts with these fixes and what is wrong with them then; None if that is more than before."""
    texts = applied(problem.fix for problem in chosen if problem.fix is not None)
    source = now.source
    others = dict(now.others)
    for changed, text in texts.items():
        if changed.name == source.name:
            source = Source(source.name, text)
        else:
            others[changed.name] = text
    then = Mended(source, others, [*now.problems, *chosen])
    after = check(then.source, now_reading(then))
    return None if _errors(after) > _errors(before) else (then, after)


def _errors(problems: Sequence[Problem]) -> int:
    return sum(problem.severity is Severity.ERROR for problem in problems)
