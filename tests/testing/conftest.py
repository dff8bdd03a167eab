"""How the tests of this folder read and run `test` blocks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from edgescript.catalog import Catalogue
from edgescript.language.parse import parse
from edgescript.testing.check import Report, check
from edgescript.testing.scenario import Scenario, StandIn, read_tests
from edgescript.testing.standin import Received, standing_in
from edgescript.text.source import Source, Span

Check = Callable[[str], Report]
Talk = Callable[[Sequence[bytes]], tuple[bytes, list[Received]]]
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


@pytest.fixture
def talk() -> Talk:
    """Sends pieces to a stand-in: what it answered until it closed or had nothing more to read, and what it received."""

    async def exchange(pieces: Sequence[bytes]) -> tuple[bytes, list[Received]]:
        received: list[Received] = []
        source = Source("Edgefile", "")
        async with standing_in(StandIn("127.0.0.1:1", Span(source, 0, 0)), received) as place:
            reader, writer = await asyncio.open_connection(*place)
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            writer.write_eof()
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
        return answer, received

    return lambda pieces: asyncio.run(exchange(pieces))
