"""How the tests of this folder read and run `test` blocks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from edgescript.catalog import Catalogue
from edgescript.declare.entries import Build, Role, directive
from edgescript.http.body import Sink
from edgescript.http.exchange import Exchange
from edgescript.http.message import Response
from edgescript.language.parse import parse
from edgescript.testing.check import Report, check
from edgescript.testing.clock import VirtualLoop
from edgescript.testing.scenario import Scenario, read_tests
from edgescript.testing.standin import Received, Reply, StandIns
from edgescript.text.source import Source


@directive("broken", role=Role.TERMINAL)
class Broken:
    """Raises what no directive should."""

    def build(self, build: Build) -> Callable[[Exchange], Response]:
        def run(exchange: Exchange) -> Response:
            raise ZeroDivisionError("nobody thought of this")

        return run


class _EndlessBody:
    """Pushes until somebody stops it, and never ends."""

    length = None

    def start(self, sink: Sink) -> None:
        self.wanted = True
        while self.wanted:
            sink.write(bytes(1024 * 1024))

    def cancel(self) -> None:
        self.wanted = False


@directive("endless", role=Role.TERMINAL)
class Endless:
    """Answers with a body that has no end."""

    def build(self, build: Build) -> Callable[[Exchange], Response]:
        return lambda exchange: Response(200, [], _EndlessBody())  # type: ignore[arg-type]


Check = Callable[[str], Report]
Talk = Callable[[Sequence[bytes]], tuple[bytes, list[Received]]]
Read = Callable[[str], tuple[list[Scenario], list[str]]]


@pytest.fixture
def run_tests(tmp_path: Path) -> Check:
    """Runs the tests of an Edgefile."""
    catalogue = Catalogue.load().with_entries(Broken, Endless)
    return lambda text: check(Source("Edgefile", text), catalogue=catalogue, environment={}, directory=str(tmp_path))


@pytest.fixture
def read() -> Read:
    """Reads the body of one `test` block: the tests, and the messages of what is wrong."""

    def read_text(body: str) -> tuple[list[Scenario], list[str]]:
        tree, problems = parse(Source("Edgefile", f'test "it" {{\n{body}\n}}\n'))
        assert not problems
        scenarios, wrong = read_tests([line for line in tree.lines if line.words])
        return scenarios, [problem.message for problem in wrong]

    return read_text


@pytest.fixture
def talk() -> Talk:
    """Sends pieces to a stand-in: what it answered until it closed or had nothing more to read, and what it received."""

    async def exchange(pieces: Sequence[bytes]) -> tuple[bytes, list[Received]]:
        stand_ins = StandIns()
        stand_ins.add("127.0.0.1:1", Reply())
        reader = asyncio.StreamReader()
        protocol = await stand_ins.dial("127.0.0.1:1", lambda: asyncio.StreamReaderProtocol(reader))
        transport = protocol._transport  # type: ignore[attr-defined]
        for piece in pieces:
            transport.write(piece)
            await asyncio.sleep(1)
        transport.write_eof()
        return await reader.read(), stand_ins.received

    def run(pieces: Sequence[bytes]) -> tuple[bytes, list[Received]]:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(exchange(pieces))

    return run
