"""Edgefiles with Python files beside them: in memory, and served by both engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import anyio
import pytest

from edgescript.catalog import Catalogue
from edgescript.graph.load import load
from edgescript.graph.model import Graph
from edgescript.graph.shared import Shared
from edgescript.testing import Edge
from edgescript.text.problem import StartFailed
from edgescript.text.source import Source

HEAD = """\
from __future__ import annotations

import asyncio
import time

from edgescript.api import HTTPError, Request, Response, Store, background, on_start, on_stop, span, store, wait
"""


def written(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = folder / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(HEAD + dedent(text))


def edgefile(site: str) -> str:
    site = dedent(site)
    return site if site.lstrip().startswith(("{", ":")) else f":80 {{\n{site}\n}}\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., None]:
    """`write(shop="…")` writes `shop.py` beside the Edgefile, with the usual imports at its head."""
    return lambda **files: written(tmp_path, files)


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Callable[..., Edge]]:
    """`edge("python shop.py:index", shop="…")` is that site, in memory."""
    made: list[Edge] = []

    def make(site: str, **files: str) -> Edge:
        written(tmp_path, files)
        made.append(Edge(tmp_path / "Edgefile", text=edgefile(site), environment={}))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[..., Graph]:
    """`compiled("python shop.py:index", shop="…", shared=…)` is the graph of that site, which is not started."""

    def make(site: str, shared: Shared | None = None, **files: str) -> Graph:
        written(tmp_path, files)
        graph, problems = load(
            Source(str(tmp_path / "Edgefile"), edgefile(site)),
            catalogue=Catalogue.load(),
            environment={},
            directory=str(tmp_path),
            shared=shared,
        )
        assert graph is not None, problems
        return graph

    return make


@pytest.fixture
def failure() -> Callable[[Graph], StartFailed]:
    """`failure(graph)` is why a graph does not start."""

    async def failed(graph: Graph) -> StartFailed:
        async with anyio.create_task_group() as tasks:
            try:
                await graph.start(tasks)
            except StartFailed as failed:
                return failed
            finally:
                await graph.close()
                tasks.cancel_scope.cancel()
        raise AssertionError("it started")

    return lambda graph: anyio.run(failed, graph)


@pytest.fixture(params=["fast", "hypercorn"])
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def serve(compiled: Callable[..., Graph], servers: Any, engine: str) -> Callable[..., Any]:
    """`serve("python shop.py:index", shop="…")` starts a server of that site; the test runs on both engines."""
    return lambda site, **files: servers.start(compiled(site, **files), engine=engine)


@pytest.fixture
def fast(compiled: Callable[..., Graph], servers: Any) -> Callable[..., Any]:
    """The same on the fast lane alone."""
    return lambda site, **files: servers.start(compiled(site, **files))


@pytest.fixture
def mistakes() -> Callable[[str], list[str]]:
    """The messages about a site's directives, each with its code in front."""

    def check(directives: str) -> list[str]:
        source = Source("Edgefile", f":80 {{\n{dedent(directives)}\n}}\n")
        _, problems = load(source, catalogue=Catalogue.load(), environment={}, directory="/nowhere")
        return [f"{problem.code} {problem.message}" for problem in problems]

    return check
