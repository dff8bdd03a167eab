"""How long and how much: the bounds that one group of endpoints is used within."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

#: Most bytes of a response's head. nginx: 4-8 KiB, Envoy: 60 KiB, Go: 1 MiB.
HEAD_SIZE = 64 * 1024
#: Most interim (1xx) responses before the final one. Go: 5, which real push servers have hit.
INTERIM_RESPONSES = 20
#: Seconds that a request with `Expect: 100-continue` waits for the upstream's word before its body is sent all the same.
CONTINUE_WAIT = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Times are in seconds; `inf` sets no limit."""

    #: Until a connection is there, TLS handshake included, and for a free one where `max_connections` are in use.
    connect: float = 3.0
    #: From the end of the request to the response's head.
    response_header: float = 60.0
    #: How long a body or a tunnel may stand still.
    idle: float = 300.0
    #: How long a connection is kept that nobody uses.
    keepalive: float = 60.0
    #: How many of these are kept.
    keepalive_connections: int = 1024
    #: How old a connection may become.
    max_age: float = inf
    #: How many connections there may be to one endpoint at once.
    max_connections: int = 0
    #: How many exchanges may wait for one of them, where there is such a bound: without it each has one dialled for it.
    max_waiting: int = 1024
