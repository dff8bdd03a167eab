from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from edgescript.catalog import Catalogue
from edgescript.graph.load import load
from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers
from edgescript.http.message import Response
from edgescript.http.trust import Trust
from edgescript.server.serve import serve
from edgescript.text.source import Source

CATALOGUE = Catalogue.load()


@dataclass
class Peer:
    """A connection that nothing is sent on, but that remembers interim responses."""

    remote_ip: str = "192.0.2.1"
    remote_port: int = 40000
    local_ip: str = "192.0.2.80"
    local_port: int = 80
    scheme: str = "http"
    trust: Trust | None = None
    can_upgrade: bool = False
    informed: list[tuple[int, Headers]] = field(default_factory=list)

    def inform(self, status: int, headers: Headers) -> None:
        self.informed.append((status, headers))


@dataclass
class Answer:
    exchange: Exchange
    response: Response

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def text(self) -> str:
        assert isinstance(self.response.body, bytes)
        return self.response.body.decode("utf-8", "surrogateescape")

    def every(self, name: str) -> list[str]:
        return [value.decode() for key, value in self.response.headers if key == name.lower().encode()]

    def header(self, name: str) -> str | None:
        values = self.every(name)
        assert len(values) < 2, values
        return values[0] if values else None


Ask = Callable[..., Answer]
Site = Callable[[str], Ask]


@pytest.fixture
def site() -> Site:
    """`site("respond ok")` gives a function that asks that site: `ask("/path", method="POST", headers=[("X", "y")])`."""

    def compiled(directives: str) -> Ask:
        graph, problems = load(
            Source("Edgefile", f":80 {{\n{textwrap.dedent(directives)}\n}}\n"),
            catalogue=CATALOGUE,
            environment={},
            directory="/nowhere",
        )
        assert graph is not None, [str(problem.message) for problem in problems]

        def ask(
            target: str = "/",
            *,
            method: str = "GET",
            host: str = "example.com",
            headers: list[tuple[str, str]] | None = None,
            body: Any = b"",
            **client: Any,
        ) -> Answer:
            fields = [(b"host", host.encode())]
            fields += [(name.lower().encode(), value.encode()) for name, value in headers or ()]
            exchange = Exchange(Peer(**client), method.encode(), target.encode(), "1.1", fields, body, 0.0)
            response = serve(exchange, graph.listeners[0])
            assert isinstance(response, Response), "nothing here has to wait"
            return Answer(exchange, response)

        return ask

    return compiled


@pytest.fixture
def mistakes() -> Callable[[str], list[str]]:
    """The messages about a site's directives, each with its code in front."""

    def check(directives: str) -> list[str]:
        source = Source("Edgefile", f":80 {{\n{textwrap.dedent(directives)}\n}}\n")
        _, problems = load(source, catalogue=CATALOGUE, environment={}, directory="/nowhere")
        return [f"{problem.code} {problem.message}" for problem in problems]

    return check
