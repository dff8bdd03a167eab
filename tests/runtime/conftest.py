"""Servers that take over one Edgefile after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgescript.catalog import Catalogue
from edgescript.graph.load import load
from edgescript.graph.model import Graph
from edgescript.graph.shared import Shared
from edgescript.text.source import Source

_CATALOGUE = Catalogue.load()


class Reloading:
    """A server of one process, and what its graphs have in common."""

    def __init__(self, servers: Any, engine: str, directory: Path) -> None:
        self.shared = Shared()
        self._servers = servers
        self._engine = engine
        self._directory = directory
        self.running: Any = None

    def graph(self, text: str) -> Graph:
        graph, problems = load(
            Source("Edgefile", text),
            catalogue=_CATALOGUE,
            environment={},
            directory=str(self._directory),
            clock=time.monotonic,
            shared=self.shared,
        )
        assert graph is not None, "\n".join(f"{problem.span}: {problem.message}" for problem in problems)
        return graph

    def start(self, text: str) -> Any:
        self.running = self._servers.start(self.graph(text), engine=self._engine)
        return self.running

    def reload(self, text: str) -> None:
        """Take another Edgefile over, as a reload does."""
        self.running.call(self.running.server.replace, self.graph(text))

    @property
    def retired(self) -> int:
        """How many old graphs are still in use."""
        return self.running.call(lambda: self.running.server.retired)

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for something that happens in the server's own time; a look is cheap, and there are many."""
        until = time.monotonic() + 20
        while not self.running.call(holds):
            assert time.monotonic() < until, f"it did not come to pass that {what}"
            time.sleep(0.01)

    def wait_for_end_of_old_graphs(self) -> None:
        self.wait_until(lambda: self.running.server.retired == 0, "the old graphs were put away")


@pytest.fixture(params=["fast", "hypercorn"])
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def reloading(servers: Any, engine: str, tmp_path: Path) -> Reloading:
    """`reloading.start(text)`, `reloading.reload(text)`, on both engines."""
    return Reloading(servers, engine, tmp_path)


@pytest.fixture
def fast(servers: Any, tmp_path: Path) -> Reloading:
    """The same on the fast lane only, for what ASGI cannot do."""
    return Reloading(servers, "fast", tmp_path)
