"""All tests of one Edgefile, in one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgescript.catalog import Catalogue
from edgescript.testing.run import Failure
from edgescript.testing.scenario import Scenario
from edgescript.testing.suite import open_suite
from edgescript.text.problem import Problem
from edgescript.text.source import Source


@dataclass(frozen=True, slots=True)
class Report:
    """What came of the tests of a file. With errors among the problems, no test was run."""

    problems: tuple[Problem, ...]
    results: tuple[tuple[Scenario, tuple[Failure, ...]], ...] = ()

    def __str__(self) -> str:
        """Every problem and failure, one on each line; empty where there is none."""
        lines = [f"{problem.span}: {problem.code} {problem.message}" for problem in self.problems]
        for scenario, failures in self.results:
            lines += [f"{failure.span}: {scenario.name}: {failure.message}" for failure in failures]
        return "\n".join(lines)


def check(source: Source, *, catalogue: Catalogue, environment: Mapping[str, str], directory: str) -> Report:
    """Run every test of an Edgefile against its compiled routes."""
    suite = open_suite(source, catalogue=catalogue, environment=environment, directory=directory)
    if suite.has_errors:
        return Report(tuple(suite.problems))
    results = suite.run(suite.scenarios)
    return Report(tuple(suite.problems), tuple((result.scenario, result.failures) for result in results))
