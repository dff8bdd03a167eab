"""All tests of one Edgefile, in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import anyio

from edgescript.catalog import Catalogue
from edgescript.graph.load import load
from edgescript.graph.model import Graph
from edgescript.testing.run import Failure, run
from edgescript.testing.scenario import Scenario, read_tests
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
    compiled = _loader(source, catalogue, environment, directory)
    graph, problems = compiled()
    if graph is None:
        return Report(tuple(problems))
    scenarios, more = read_tests(graph.tests)
    if more:
        return Report((*problems, *more))

    def fresh() -> Graph:
        again, _ = compiled()
        assert again is not None, "it compiled before"
        return again

    return Report(tuple(problems), tuple(anyio.run(_all, graph, scenarios, fresh)))


_Results = list[tuple[Scenario, tuple[Failure, ...]]]


async def _all(first: Graph, scenarios: list[Scenario], fresh: Callable[[], Graph]) -> _Results:
    await first.close()
    return [(scenario, tuple(await run(scenario, fresh))) for scenario in scenarios]


def _loader(
    source: Source, catalogue: Catalogue, environment: Mapping[str, str], directory: str
) -> Callable[[], tuple[Graph | None, list[Problem]]]:
    return lambda: load(source, catalogue=catalogue, environment=environment, directory=directory)
