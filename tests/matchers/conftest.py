from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers
from edgescript.http.trust import Trust


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
