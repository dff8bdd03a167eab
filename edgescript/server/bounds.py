"""What a listener's clients may take and how long: plain values, resolved from the settings of a graph."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgescript.http.trust import Trust

if TYPE_CHECKING:
    from edgescript.graph.model import Graph


@dataclass(frozen=True, slots=True)
class Bounds:
    """Sizes in bytes, times in seconds; the defaults are those of the settings."""

    max_header_size: int = 16 * 1024
    max_header_count: int = 100
    max_uri_size: int = 8 * 1024
    max_body_size: int | None = None
    read_header: float = 30.0
    read_body_idle: float = 30.0
    write_idle: float = 60.0
    #: Bytes per second that count as progress.
    min_rate: int = 100
    idle: float = 300.0
    grace_period: float = 10.0
    #: Proxies that are believed; None: nobody is.
    trust: Trust | None = field(default=None)


def bounds_of(graph: Graph) -> Bounds:
    """The bounds that a graph's settings ask for."""
    from edgescript.settings.client_ip_headers import ClientIpHeaders
    from edgescript.settings.grace_period import GracePeriod
    from edgescript.settings.limits import Limits
    from edgescript.settings.timeouts import Timeouts
    from edgescript.settings.trusted_proxies import TrustedProxies

    limits = graph.setting(Limits)
    timeouts = graph.setting(Timeouts)
    ranges = graph.setting(TrustedProxies).ranges
    names = graph.setting(ClientIpHeaders).names or (b"x-forwarded-for",)
    return Bounds(
        max_header_size=limits.max_header_size,
        max_header_count=limits.max_header_count,
        max_uri_size=limits.max_uri_size,
        max_body_size=limits.max_body_size,
        read_header=timeouts.read_header,
        read_body_idle=timeouts.read_body_idle,
        write_idle=timeouts.write_idle,
        min_rate=timeouts.min_rate,
        idle=timeouts.idle,
        grace_period=graph.setting(GracePeriod).duration,
        trust=Trust([network for cidr in ranges for network in cidr.networks], names) if ranges else None,
    )
