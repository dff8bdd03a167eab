"""The tests of one Edgefile: those in it, and those in the `*.test.edge` files beside it.

`NAME.test.edge` tests `NAME.edge` where that is beside it, and otherwise the `Edgefile` beside it. One that has sites, or a
global block, is an Edgefile of its own, and tests itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edgescript.catalog import Catalogue
from edgescript.language.expand import File, expand
from edgescript.language.files import read_file
from edgescript.language.parse import parse
from edgescript.language.tree import Line
from edgescript.testing.clock import VirtualLoop
from edgescript.testing.compiled import Compiled, compile_for_tests
from edgescript.testing.coverage import Coverage
from edgescript.testing.run import Failure, run
from edgescript.testing.scenario import Scenario, read_tests
from edgescript.text.problem import Problem, Severity
from edgescript.text.source import Source

SUFFIX = ".test.edge"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one test."""

    scenario: Scenario
    failures: tuple[Failure, ...]
    #: Of real time.
    seconds: float

    @property
    def passed(self) -> bool:
        return not self.failures


@dataclass(slots=True)
class Suite:
    """One Edgefile and its tests. With errors among the problems there is nothing to run."""

    source: Source
    problems: list[Problem]
    scenarios: list[Scenario] = field(default_factory=list)
    compiled: Compiled | None = None
    #: The names of all files that were read.
    files: list[str] = field(default_factory=list)

    @property
    def has_errors(self) -> bool:
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    def run(self, scenarios: Iterable[Scenario], coverage: Coverage | None = None) -> Iterator[Result]:
        """Run tests, and give the result of each when it is there."""
        assert self.compiled is not None, "a suite with errors is not run"
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            loop = runner.get_loop()
            assert isinstance(loop, VirtualLoop)
            for scenario in scenarios:
                began = time.perf_counter()
                failures, stage = runner.run(run(scenario, self.compiled, loop))
                if coverage is not None:
                    coverage.add(stage.recorder.touched)
                yield Result(scenario, tuple(failures), time.perf_counter() - began)


def open_suite(
    source: Source,
    *,
    tests: Sequence[Source] = (),
    catalogue: Catalogue,
    environment: Mapping[str, str],
    directory: str,
    read: Callable[[str], bytes] = read_file,
    own: bool = True,
) -> Suite:
    """
    Compile an Edgefile, and read its tests.

    :param tests: files that hold nothing but tests of it
    :param own: whether the tests in the Edgefile itself are wanted too
    """
    compiled, problems, trees = compile_for_tests(
        source, catalogue=catalogue, environment=environment, directory=directory, read=read
    )
    files = [tree.source.name for tree in trees]
    lines = [] if not own else list(_tests_of(source, environment, read) if compiled is None else compiled.bound.tests)
    for test in tests:
        tree, wrong = parse(test)
        file, more = expand(tree, environment=environment, read=read)
        problems += [*wrong, *more, *_misplaced(file, source)]
        files += [tree.source.name for tree in file.trees]
        lines += file.tests
    scenarios, more = read_tests(lines)
    suite = Suite(source, [*problems, *more], scenarios, compiled, files)
    if compiled is not None:
        asyncio.run(compiled.graph.close())
    return suite


def _tests_of(source: Source, environment: Mapping[str, str], read: Callable[[str], bytes]) -> Sequence[Line]:
    """The tests of a file that could not be compiled, so that one run tells what is wrong with them too."""
    return expand(parse(source)[0], environment=environment, read=read)[0].tests


def _misplaced(file: File, tested: Source) -> Iterator[Problem]:
    """What cannot stand in a file of tests."""
    for site in file.sites:
        message = f"this file holds tests of {tested.name}, and no sites"
        yield Problem("E016", message, site.line.span(), hint="name it as the file to test, or move the site")


# ---- which files


def is_test_file(path: Path) -> bool:
    return path.name.endswith(SUFFIX)


def stands_alone(source: Source) -> bool:
    """Whether a `*.test.edge` file has, or imports, sites or settings of its own."""
    file, _ = expand(parse(source)[0])
    return bool(file.sites or file.settings)


def tested_by(path: Path) -> Path | None:
    """The Edgefile that a file of tests belongs to."""
    beside = path.with_name(path.name.removesuffix(SUFFIX) + ".edge")
    found = (beside, path.with_name("Edgefile"))
    return next((candidate for candidate in found if candidate.is_file()), None)


def tests_beside(path: Path) -> list[Path]:
    """The files of tests that belong to an Edgefile."""
    folder = path.parent
    return sorted(file for file in folder.glob(f"*{SUFFIX}") if tested_by(file) == folder / path.name)
