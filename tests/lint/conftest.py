from __future__ import annotations

from collections.abc import Callable

import pytest

from edgescript.catalog import Catalogue
from edgescript.graph.load import analyse
from edgescript.lint.run import lint
from edgescript.text.problem import Problem
from edgescript.text.source import Source

Lint = Callable[..., list[Problem]]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.fixture
def warnings(catalogue: Catalogue) -> Lint:
    """Every problem of a text, those of other files that it imports too: `warnings(text, {"b.edge": "…"})`."""

    def warnings(text: str, files: dict[str, str] | None = None, *, names: Catalogue = catalogue) -> list[Problem]:
        def read(name: str) -> bytes:
            if files is None or name not in files:
                raise FileNotFoundError(2, "No such file or directory", name)
            return files[name].encode()

        found = analyse(Source("Edgefile", text), catalogue=names, environment={"TOKEN": "x" * 20}, read=read)
        return [*found.problems, *lint(found, names)]

    return warnings
