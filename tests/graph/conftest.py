from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from edgescript.catalog import Catalogue
from edgescript.declare.entries import Action, Build, Built, Role, Steps, directive
from edgescript.declare.fields import arg, option, rest, steps
from edgescript.declare.kinds import Status, StatusPattern, UriTemplate
from edgescript.graph.load import load
from edgescript.graph.model import Graph
from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers
from edgescript.http.message import HTTPError, Response
from edgescript.http.pending import Drive
from edgescript.http.trust import Trust
from edgescript.server.serve import serve
from edgescript.text.problem import Problem
from edgescript.text.source import Source


@dataclass
class Peer:
    """A connection that nothing is sent on."""

    remote_ip: str = "192.0.2.1"
    remote_port: int = 40000
    local_ip: str = "192.0.2.80"
    local_port: int = 80
    scheme: str = "http"
    trust: Trust | None = None
    can_upgrade: bool = False
    informed: list[Any] = field(default_factory=list)

    def inform(self, status: int, headers: Headers) -> None:
        self.informed.append((status, headers))


Ask = Callable[..., Exchange]


@pytest.fixture
def ask() -> Ask:
    """Makes an exchange: `ask("/path", method="POST", host="a.example", headers={"X": "y"}, version="2", scheme=…)`."""

    def make(
        target: str = "/",
        *,
        method: str = "GET",
        host: str = "example.com",
        headers: dict[str, str] | None = None,
        version: str = "1.1",
        **client: Any,
    ) -> Exchange:
        fields = [(b"host", host.encode())]
        fields += [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        return Exchange(Peer(**client), method.encode(), target.encode(), version, fields, b"", 0.0)

    return make


# Directives that are nothing but their role, so that these tests hold whatever stands on the shelves.


@directive("answer", role=Role.TERMINAL)
class Answer:
    """Answer with a text."""

    text: str = arg("The text.")
    pass_on: bool = option("Leave the request to what is below.")

    @property
    def falls_through(self) -> bool:
        return self.pass_on

    def build(self, build: Build) -> Built:
        body = self.text.encode()

        def run(exchange: Exchange) -> Response | None:
            return None if self.pass_on else Response(200, [], body + b" " + exchange.path.encode())

        return Built(run, lambda exchange: f"{self.text} {exchange.path}")


@directive("later", role=Role.TERMINAL)
class Later:
    """Answer with a text, from a coroutine."""

    text: str = arg("The text.")

    def build(self, build: Build) -> Action:
        async def run(exchange: Exchange) -> Response:
            return Response(200, [], self.text.encode())

        return run


@directive("fail", role=Role.TERMINAL)
class Fail:
    """Raise an error."""

    status: Status = arg("The status.")

    def build(self, build: Build) -> Action:
        def run(exchange: Exchange) -> None:
            raise HTTPError(self.status)

        return run


@directive("broken", role=Role.TERMINAL)
class Broken:
    """Cannot be set up."""

    def build(self, build: Build) -> Action:
        raise OSError("no such device")


@directive("mark", role=Role.WRAPPER)
class Mark:
    """Add a header field to the response."""

    text: str = arg("Its value.")

    def build(self, build: Build) -> Action:
        value = self.text.encode()

        def change(exchange: Exchange, response: Response) -> None:
            response.headers.append((b"mark", value))

        return lambda exchange: exchange.on_response(change)


@directive("go_to", role=Role.REWRITER)
class GoTo:
    """Ask for another path."""

    path: UriTemplate = arg("The path.")

    def build(self, build: Build) -> Action:
        return lambda exchange: exchange.set_uri(self.path.read(exchange).encode(), exchange.query)


@directive("handle", role=Role.GROUP, exclusive=True)
class Handle:
    """One of several."""

    body: Steps = steps("What is run.")


@directive("handle_path", role=Role.GROUP, exclusive=True)
class HandlePath:
    """One of several, without `/x`."""

    body: Steps = steps("What is run.")

    def build(self, build: Build) -> Action:
        return lambda exchange: exchange.set_uri(exchange.raw_path.removeprefix(b"/x"), exchange.query)


@directive("route", role=Role.GROUP)
class Route:
    """A block."""

    body: Steps = steps("What is run.")


@directive("handle_errors", role=Role.ERRORS, matcher=False)
class HandleErrors:
    """A block for errors."""

    statuses: tuple[StatusPattern, ...] = rest("Which.")
    body: Steps = steps("What is run.")


@directive("bind", role=Role.SITE, matcher=False)
class Bind:
    """Where to listen."""

    hosts: tuple[str, ...] = rest("Addresses.", least=1)


@directive("kept", role=Role.WRAPPER, matcher=False)
class Kept:
    """Opens something."""

    def build(self, build: Build) -> Action:
        names = ",".join(build.site_names())
        build.keep(Resource())
        return lambda exchange: exchange.on_response(
            lambda exchange, response: response.headers.append((b"kept", f"{names} {build.directory()}".encode()))
        )


class Resource:
    closed = False

    async def close(self) -> None:
        self.closed = True


ENTRIES = (
    Answer, Later, Fail, Broken, Mark, GoTo, Handle, HandlePath, Route, HandleErrors, Bind, Kept
)  # fmt: skip

Load = Callable[[str], tuple[Graph | None, list[Problem]]]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.load().with_entries(*ENTRIES)


@pytest.fixture
def read(catalogue: Catalogue) -> Load:
    """Compiles a text."""
    return lambda text: load(
        Source("Edgefile", text), catalogue=catalogue, environment={}, directory="/srv", clock=lambda: 0.0
    )


@pytest.fixture
def compiled(read: Load) -> Callable[[str], Graph]:
    """Compiles a text that has no problem."""

    def compiled(text: str) -> Graph:
        graph, problems = read(text)
        assert problems == []
        assert graph is not None
        return graph

    return compiled


@pytest.fixture
def body_of(compiled: Callable[[str], Graph], ask: Ask) -> Callable[..., str]:
    """What the first listener of a text's graph answers: `body_of(text, "/path", …)`; the status where that is not 200."""

    def body_of(text: str, target: str, **request: Any) -> str:
        response = drive(serve(ask(target, **request), compiled(text).listeners[0]))
        return response.body.decode() if response.status == 200 else str(response.status)  # type: ignore[union-attr]

    return body_of


def drive(outcome: Any) -> Response:
    if isinstance(outcome, Response):
        return outcome
    results: list[Any] = []
    Drive(outcome, lambda *result: results.append(result)).start()
    ((response, error),) = results
    if error is not None:
        raise error
    assert isinstance(response, Response)
    return response
