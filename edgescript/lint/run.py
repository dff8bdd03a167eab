"""`edge validate` beyond what is invalid: the rules in `rules/`, each a file with a code of its own, found by being there.

A rule is a function `check(facts) -> Iterator[Problem]`. With `CERTAIN = True` in its file, it also holds for a file with
errors, where lines that were not understood are missing from what it looks at.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import edgescript.lint.rules
from edgescript.catalog import Catalogue
from edgescript.graph.compile import has_errors
from edgescript.graph.load import Analysis
from edgescript.language.allow import Allowance
from edgescript.lint.facts import Facts
from edgescript.text.pages import codes
from edgescript.text.problem import Problem, did_you_mean, in_order


def lint(analysis: Analysis, catalogue: Catalogue) -> list[Problem]:
    """What is hardly ever meant as it is written, in order of the places, without what the files allow."""
    if analysis.bound is None:
        return []
    broken = has_errors(analysis.problems)
    facts = Facts(analysis, analysis.bound, catalogue)
    found = [
        problem for rule in _rules() if not broken or getattr(rule, "CERTAIN", False) for problem in rule.check(facts)
    ]
    left = analysis.allowed.left(in_order(found))
    return in_order([*left, *(problem for one in analysis.allowed for problem in _mistaken(one, broken=broken))])


@cache
def _rules() -> list[ModuleType]:
    folder = Path(edgescript.lint.rules.__path__[0])
    names = sorted(path.stem for path in folder.glob("[!_]*.py"))
    return [importlib.import_module(f"edgescript.lint.rules.{name}") for name in names]


def _mistaken(allowance: Allowance, *, broken: bool) -> Iterator[Problem]:
    """W300: comments that allow nothing."""
    if not allowance.codes:
        message = "this comment for the program does not say what is allowed"
        yield Problem("W300", message, allowance.span, hint="write `# edge: allow W201`, with the code of a warning")
    for code, span in allowance.codes:
        if code not in codes():
            known = [each for each in codes() if each.startswith("W")]
            yield Problem("W300", f'there is no warning "{code}" to allow', span, hint=did_you_mean(code, known))
        elif code.startswith("E"):
            yield Problem("W300", f"{code} is an error, and errors cannot be allowed", span)
        elif code not in allowance.used and not broken:
            message = f"nothing here gives {code}, so that nothing is allowed by this"
            yield Problem("W300", message, span, hint="take it away, so that it hides nothing later")
