from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from edgescript.catalog import Catalogue
from edgescript.graph.compile import compile_file
from edgescript.graph.model import Matcher
from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers
from edgescript.http.trust import Trust
from edgescript.language.expand import expand
from edgescript.language.parse import parse
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

    def inform(self, status: int, headers: Headers) -> None:
        """Sends nothing."""


@pytest.fixture
def ask() -> Callable[..., Exchange]:
    """Makes an exchange: `ask("/path", method="POST", host="a.example", headers=[("X", "y")], version="2", scheme=…)`."""

    def make(
        target: str = "/",
        *,
        method: str = "GET",
        host: str = "example.com",
        headers: list[tuple[str, str]] | None = None,
        version: str = "1.1",
        **client: Any,
    ) -> Exchange:
        fields = [(b"host", host.encode())]
        fields += [(name.lower().encode(), value.encode("latin-1")) for name, value in headers or ()]
        return Exchange(Peer(**client), method.encode(), target.encode(), version, fields, b"", 0.0)

    return make


CATALOGUE = Catalogue.load()


@pytest.fixture
def problems_of() -> Callable[[str], list[Problem]]:
    """The problems of the lines of a matcher."""

    def problems_of(lines: str) -> list[Problem]:
        return _compiled(lines)[1]

    return problems_of


@pytest.fixture
def matcher() -> Callable[[str], Matcher]:
    """A compiled matcher: `matcher("path /x")`, or several lines."""

    def matcher(lines: str) -> Matcher:
        graph, problems = _compiled(lines)
        assert problems == []
        found = graph.sites[0].program.steps[0].matcher
        assert found is not None
        return found

    return matcher


def _compiled(lines: str) -> tuple[Any, list[Problem]]:
    text = ":80 {\n@it {\n" + lines + '\n}\nrespond @it "it"\n}\n'
    tree, problems = parse(Source("Edgefile", text))
    file, more = expand(tree, environment={})
    graph, most = compile_file(file, CATALOGUE)
    return graph, [*problems, *more, *most]
