from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers
from edgescript.http.message import Response
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

    def inform(self, status: int, headers: Headers) -> None:
        """Nobody is there."""


@pytest.fixture
def ended() -> Callable[..., Exchange]:
    """Makes an exchange that was answered: `ended(b"/path", [(b"user-agent", b"curl")])`."""

    def make(target: bytes = b"/", headers: Headers | None = None, *, status: int | None = 200) -> Exchange:
        fields = [(b"host", b"example.com"), *(headers or [])]
        exchange = Exchange(Peer(), b"GET", target, "1.1", fields, b"", 0.0)
        exchange.response = None if status is None else Response(status, [], b"hello")
        exchange.sent = 5
        exchange.duration = 0.00123456
        return exchange

    return make
