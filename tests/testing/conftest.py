"""How the tests of this folder read and run `test` blocks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgescript.catalog import Catalogue
from edgescript.language.parse import parse
from edgescript.testing.check import Report, check
from edgescript.testing.scenario import Scenario, read_tests
from edgescript.text.source import Source

Check = Callable[[str], Report]
Read = Callable[[str], tuple[list[Scenario], list[str]]]


@pytest.fixture
def run_tests(tmp_path: Path) -> Check:
    """Runs the tests of an Edgefile."""
    return lambda text: check(
        Source("Edgefile", text), catalogue=Catalogue.load(), environment={}, directory=str(tmp_path)
    )


@pytest.fixture
def read() -> Read:
    """Reads the body of one `test` block: the tests, and the messages of what is wrong."""

    def read_text(body: str) -> tuple[list[Scenario], list[str]]:
        tree, problems = parse(Source("Edgefile", f'test "it" {{\n{body}\n}}\n'))
        assert not problems
        scenarios, wrong = read_tests([line for line in tree.lines if line.words])
        return scenarios, [problem.message for problem in wrong]

    return read_text
