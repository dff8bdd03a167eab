"""What is wrong with a text, tests included, as `edge validate` finds it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edgescript.catalog import Catalogue
from edgescript.graph.load import analyse
from edgescript.testing.scenario import read_tests
from edgescript.text.problem import Problem, in_order
from edgescript.text.source import Source

Find = Callable[[str], list[Problem]]


def _nothing(name: str) -> bytes:
    raise FileNotFoundError(2, "No such file or directory", name)


@pytest.fixture(scope="session")
def find() -> Find:
    """Gives the problems of a file that stands alone, with no environment variable set."""
    catalogue = Catalogue.load()

    def found(text: str) -> list[Problem]:
        analysis = analyse(Source("Edgefile", text), catalogue=catalogue, environment={}, read=_nothing)
        return in_order([*analysis.problems, *read_tests(analysis.file.tests)[1]])

    return found
