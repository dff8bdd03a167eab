"""Which store a graph gets."""

from __future__ import annotations

from typing import Any

import pytest

from edgescript.catalog import Catalogue
from edgescript.declare.entries import Build, Role, directive
from edgescript.graph.load import load
from edgescript.graph.model import Graph
from edgescript.graph.shared import Shared
from edgescript.http.exchange import Exchange
from edgescript.http.message import Response
from edgescript.settings.storage import storage_of
from edgescript.testing.suite import open_suite
from edgescript.text.source import Source

pytestmark = pytest.mark.anyio


@directive("visits", role=Role.TERMINAL)
class Visits:
    """Says how often it was asked."""

    def build(self, build: Build) -> Any:
        storage = storage_of(build)
        STORES.append(storage)

        async def count(exchange: Exchange) -> Response:
            return Response(200, [], b"%d" % await storage.increment("visits"))

        return count


STORES: list[Any] = []
CATALOGUE = Catalogue.load().with_entries(Visits)


def graph_of(text: str, shared: Shared | None = None) -> Graph:
    STORES.clear()
    graph, problems = load(Source("Edgefile", text), catalogue=CATALOGUE, environment={}, directory=".", shared=shared)
    assert graph is not None, problems
    return graph


async def test_a_store_in_memory_lives_through_a_reload_that_keeps_its_size() -> None:
    shared = Shared()
    old = graph_of("{\n storage memory\n}\n:80 {\n visits\n}", shared)
    first = STORES[0]
    await first.set("a", b"1")
    new = graph_of("{\n storage memory\n}\n:80 {\n visits\n}\n:81 {\n visits\n}", shared)
    await old.close()
    assert [first, first] == STORES
    assert await first.get("a") == b"1"
    smaller = graph_of("{\n storage memory {\n max_size 1MiB\n }\n}\n:80 {\n visits\n}", shared)
    assert STORES[0] is not first
    await new.close()
    await smaller.close()
    assert len(shared) == 0


TESTED = """
{
    storage memory
}
:80 {
    visits
}
:81 {
    visits
}
test "one visit" {
    request GET http://localhost/
    expect body "1"
}
test "two sites see the same store" {
    request GET http://localhost/
    expect body "1"
    request GET http://localhost:81/
    expect body "2"
}
"""


def test_each_test_of_an_edgefile_has_a_store_of_its_own_which_its_sites_share() -> None:
    suite = open_suite(Source("Edgefile", TESTED), catalogue=CATALOGUE, environment={}, directory=".")
    assert not suite.has_errors, suite.problems
    for result in suite.run(suite.scenarios):
        assert result.passed, result.failures
    assert len(suite.scenarios) == 2
