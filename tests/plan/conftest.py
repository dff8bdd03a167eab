"""How the tests of this folder compare two texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from edgescript.catalog import Catalogue
from edgescript.declare.entries import setting
from edgescript.declare.fields import arg
from edgescript.graph.load import Analysis, analyse
from edgescript.plan.compare import plan
from edgescript.plan.model import Plan
from edgescript.text.source import Source

Compare = Callable[..., Plan]


@setting("owner")
class Owner:
    """A setting that has no default."""

    name: str = arg("Who it is.")


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.load().with_entries(Owner)


@pytest.fixture(scope="session")
def compare(catalogue: Catalogue) -> Compare:
    """The plan from one text to another; none of them may have an error."""

    def file(name: str, text: str, imported: Mapping[str, str]) -> Analysis:
        found = analyse(
            Source(name, text), catalogue=catalogue, environment={}, read=lambda path: imported[path].encode()
        )
        assert [problem for problem in found.problems if problem.code.startswith("E")] == []
        return found

    def compared(old: str, new: str, imported: Mapping[str, str] | None = None) -> Plan:
        return plan(file("old.edge", old, imported or {}), file("new.edge", new, imported or {}))

    return compared
