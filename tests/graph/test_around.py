"""A step that is around what is below it: the order of changes, errors, waiting, and attempts."""

from __future__ import annotations

from typing import Any

import pytest

from edgescript.catalog import Catalogue
from edgescript.declare.entries import Build, Built, Rest, Role, directive
from edgescript.declare.fields import arg
from edgescript.graph.load import load
from edgescript.graph.model import Graph
from edgescript.http.exchange import Exchange
from edgescript.http.message import HTTPError, Response
from edgescript.http.pending import Drive, Pending, in_task
from edgescript.server.serve import serve
from edgescript.text.source import Source

pytestmark = pytest.mark.anyio


@directive("around", role=Role.WRAPPER)
class Around:
    """Notes what it is around."""

    name: str = arg("What it is called, or what it does.")

    def build(self, build: Build) -> Built:
        async def run(exchange: Exchange, rest: Rest) -> Response | None:
            if self.name == "away":
                return None
            if self.name == "catch":
                try:
                    return await rest()
                except HTTPError as error:
                    return Response(200, [], b"caught %d" % error.status)
            if self.name == "twice":
                await rest()
            response = await rest()
            assert exchange.response is response
            response.headers.append((b"seen", self.name.encode()))
            return response

        return Built(run, around=True)


@directive("stamp", role=Role.WRAPPER)
class Stamp:
    """Registers a change of the response."""

    name: str = arg("What is added.")

    def build(self, build: Build) -> Any:
        def change(exchange: Exchange, response: Response) -> None:
            response.headers.append((b"seen", self.name.encode()))

        return lambda exchange: exchange.on_response(change)


@directive("later", role=Role.TERMINAL)
class Later:
    """Answers when a task has run."""

    def build(self, build: Build) -> Any:
        async def wait() -> bytes:
            import anyio

            await anyio.lowlevel.checkpoint()
            return b"later"

        async def run(exchange: Exchange) -> Response:
            return Response(200, [], await in_task(wait()))

        return run


def graph_of(lines: str) -> Graph:
    catalogue = Catalogue.load().with_entries(Around, Stamp, Later)
    graph, problems = load(
        Source("Edgefile", f":80 {{\n{lines}\n}}\n"), catalogue=catalogue, environment={}, directory="."
    )
    assert graph is not None, problems
    return graph


async def answer(lines: str, client: Any) -> tuple[int, bytes, list[str]]:
    graph = graph_of(lines)
    exchange = Exchange(client, b"GET", b"/", "1.1", [(b"host", b"localhost")], b"", 0.0)
    outcome = serve(exchange, graph.listeners[0])
    if not isinstance(outcome, Response):
        given: Pending[Response] = Pending()
        Drive(outcome, lambda value, error: given.set(value) if value is not None else given.fail(error)).start()  # type: ignore[arg-type]
        outcome = await given
    assert isinstance(outcome.body, bytes)
    return outcome.status, outcome.body, [value.decode() for name, value in outcome.headers if name == b"seen"]


@pytest.fixture
def client() -> Any:
    class Client:
        remote_ip = local_ip = "127.0.0.1"
        remote_port = local_port = 1
        scheme = "http"
        trust = None
        can_upgrade = False

    return Client()


@pytest.mark.parametrize(
    ("lines", "status", "body", "seen"),
    [
        ("around one\nrespond x", 200, b"x", ["one"]),
        ("stamp a\naround one\nstamp b\nrespond x", 200, b"x", ["b", "one", "a"]),
        ("around one\nstamp a\naround two\nstamp b\nlater", 200, b"later", ["b", "two", "a", "one"]),
        ("handle {\naround one\n}\nrespond x", 200, b"x", ["one"]),
        ("around away\nstamp a\nrespond x", 200, b"x", ["a"]),
        ("around catch\nerror 503", 200, b"caught 503", []),
        ("around one\nstamp a\nerror 503\nhandle_errors {\nrespond sorry\n}", 503, b"sorry", ["a"]),
        ("around twice\nstamp a\nrespond x", 200, b"x", ["a", "twice"]),
        # Lines of `header` are put together, but not across a step that is around the lower ones.
        ("header +Seen a\naround one\nheader +Seen b\nrespond x", 200, b"x", ["b", "one", "a"]),
        ("around one\nheader +Seen a\naround two\nheader +Seen b\nlater", 200, b"later", ["b", "two", "a", "one"]),
        # What is deferred is the last of all, wherever it stands.
        ("stamp a\naround one\nheader >Seen last\nrespond x", 200, b"x", ["last"]),
        ("around one\naround catch\nerror 503", 200, b"caught 503", ["one"]),
    ],
)
async def test_a_step_around_sees_the_response_as_those_below_have_made_it(
    lines: str, status: int, body: bytes, seen: list[str], client: Any
) -> None:
    assert await answer(lines, client) == (status, body, seen)


async def test_a_server_field_that_was_taken_away_below_stays_away(client: Any) -> None:
    graph = graph_of("around one\nheader -Server\nrespond x")
    exchange = Exchange(client, b"GET", b"/", "1.1", [(b"host", b"localhost")], b"", 0.0)
    given: list[Any] = []
    Drive(serve(exchange, graph.listeners[0]), lambda value, error: given.append(value)).start()  # type: ignore[arg-type]
    assert b"server" not in dict(given[0].headers)
