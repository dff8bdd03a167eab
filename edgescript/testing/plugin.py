"""Pytest runs `test` blocks: those of `*.test.edge` files wherever it looks for tests, and those of any Edgefile that is named.

pytest                  # collects *.test.edge as well
pytest Edgefile         # its own tests, and those of the *.test.edge files beside it
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from edgescript.testing.scenario import Scenario
    from edgescript.testing.suite import Result, Suite
    from edgescript.text.source import Source


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> EdgeFile | None:
    """A file whose tests are to be run."""
    is_test = file_path.name.endswith(".test.edge")
    is_named = (file_path.name == "Edgefile" or file_path.suffix == ".edge") and parent.session.isinitpath(file_path)
    return EdgeFile.from_parent(parent, path=file_path) if is_test or is_named else None


class EdgeFile(pytest.File):
    """An Edgefile with tests, or a `*.test.edge` file."""

    def collect(self) -> Iterator[EdgeItem]:
        suite = self._suite()
        if suite.has_errors:
            from edgescript.text.render import as_text

            raise self.CollectError(as_text(suite.problems).rstrip())
        for scenario in suite.scenarios:
            yield EdgeItem.from_parent(self, name=scenario.name, suite=suite, scenario=scenario)

    def _suite(self) -> Suite:
        from edgescript.testing.suite import is_test_file, stands_alone, tested_by, tests_beside

        source = _read(self.path)
        if not is_test_file(self.path):
            beside = [_read(path) for path in tests_beside(self.path) if not self.session.isinitpath(path)]
            return _open(source, self.path, [test for test in beside if not stands_alone(test)], own=True)
        if stands_alone(source):
            return _open(source, self.path, [], own=True)
        tested = tested_by(self.path)
        if tested is None:
            raise self.CollectError(f"{self.path} has no site, and there is no Edgefile beside it to test")
        return _open(_read(tested), tested, [source], own=False)


def _read(path: Path) -> Source:
    from edgescript.language.files import MOST_BYTES
    from edgescript.text.source import Source

    with path.open("rb") as file:
        return Source.of_bytes(os.path.relpath(path), file.read(MOST_BYTES))


def _open(source: Source, path: Path, tests: list[Source], *, own: bool) -> Suite:
    from edgescript.catalog import Catalogue
    from edgescript.testing.suite import open_suite

    return open_suite(
        source,
        tests=tests,
        catalogue=Catalogue.load(),
        environment=os.environ,
        directory=str(path.absolute().parent),
        own=own,
    )


class Failed(Exception):
    """A test failed; holds its result."""

    def __init__(self, result: Result) -> None:
        super().__init__("; ".join(failure.message for failure in result.failures))
        self.result = result


class EdgeItem(pytest.Item):
    """One `test` block."""

    def __init__(self, *, suite: Suite, scenario: Scenario, **rest: Any) -> None:
        super().__init__(**rest)
        self._suite = suite
        self._scenario = scenario

    def runtest(self) -> None:
        (result,) = self._suite.run([self._scenario])
        if not result.passed:
            raise Failed(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What `edge test` says, without Python's way to it."""
        if isinstance(excinfo.value, Failed):
            from edgescript.testing.report import failed

            return failed(excinfo.value.result)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        span = self._scenario.span
        return Path(span.source.name), span.source.position(span.start)[0] - 1, self.name
