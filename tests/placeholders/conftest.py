from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from edgescript.catalog import Catalogue
from edgescript.declare.kinds import TEMPLATE
from edgescript.declare.scope import Scope
from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers
from edgescript.http.trust import Trust

CATALOGUE = Catalogue.load()


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
        """Nobody is there."""


@pytest.fixture
def exchange() -> Callable[..., Exchange]:
    """Makes an exchange: `exchange("/path?a=b", headers=[(b"x", b"y")], host=b"a.example", scheme="https")`."""

    def make(
        target: str = "/",
        *,
        method: str = "GET",
        host: bytes = b"example.com",
        headers: Headers | None = None,
        version: str = "1.1",
        **client: Any,
    ) -> Exchange:
        fields = [(b"host", host), *(headers or [])]
        return Exchange(Peer(**client), method.encode(), target.encode(), version, fields, b"", 0.0)

    return make


@pytest.fixture
def read() -> Callable[[str, Exchange], str]:
    """What a placeholder is, for an exchange: `read("header.X", exchange)`."""
    return lambda name, exchange: TEMPLATE.parse(f"{{{name}}}", Scope(CATALOGUE)).read(exchange)
