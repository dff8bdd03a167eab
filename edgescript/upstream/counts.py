"""What is counted of the servers behind: attempts and how they end, by endpoint. (Nothing checks their health yet.)"""

from __future__ import annotations

from bisect import bisect_left

from edgescript.metric import DURATIONS, Counter, Gauge, Histogram, Kind, Meter, Metric
from edgescript.upstream.failure import UpstreamError

ATTEMPTS = Metric(
    "edge_upstream_attempts",
    Kind.COUNTER,
    "Requests that were sent to an endpoint or could not be sent, when that was over.",
    ("endpoint",),
)
FAILURES = Metric(
    "edge_upstream_failures",
    Kind.COUNTER,
    "Attempts that gave no response, by why: connect, connect_timeout, no_connection, timeout, closed, stale or broken.",
    ("endpoint", "reason"),
)
RETRIES = Metric(
    "edge_upstream_retries",
    Kind.COUNTER,
    "Attempts that were followed by another one, there or elsewhere.",
    ("endpoint",),
)
LATENCY = Metric(
    "edge_upstream_latency_seconds",
    Kind.HISTOGRAM,
    "From a request being sent to an endpoint to the head of its response.",
    ("endpoint",),
    DURATIONS,
)
CONNECTIONS = Metric(
    "edge_upstream_connections",
    Kind.GAUGE,
    "Connections to an endpoint, in_use or idle; looked at four times a second.",
    ("endpoint", "state"),
)


class EndpointCounts:
    """The cells of one endpoint; they are made by the first attempt."""

    __slots__ = ("_address", "_attempts", "_latency", "_meter", "_states", "_told")

    _attempts: Counter
    _latency: Histogram
    _states: tuple[Gauge, Gauge]

    def __init__(self, meter: Meter, address: str) -> None:
        self._meter = meter.part()
        self._address = address
        #: Connections in use and idle, as last told; None: there are no cells yet.
        self._told: tuple[int, int] | None = None

    def _make(self) -> None:
        meter, address = self._meter, self._address
        self._attempts = meter.counter(ATTEMPTS, address)
        self._latency = meter.histogram(LATENCY, address)
        self._states = meter.gauge(CONNECTIONS, address, "in_use"), meter.gauge(CONNECTIONS, address, "idle")
        self._told = 0, 0

    def answered(self, latency: float) -> None:
        """A response came, after so many seconds."""
        if self._told is None:
            self._make()
        # As `Counter.add` and `Histogram.observe`, without calling them: this is the path of each proxied request.
        attempts, histogram = self._attempts, self._latency
        attempts.slots[attempts.at] += 1.0
        slots, at = histogram.slots, histogram.at
        slots[at + 1 + bisect_left(histogram.bounds, latency)] += 1.0
        slots[at] += latency

    def failed(self, failure: UpstreamError) -> None:
        """None came."""
        if self._told is None:
            self._make()
        self._attempts.add()
        self._meter.counter(FAILURES, self._address, failure.kind).add()

    def retried(self) -> None:
        """There is another attempt after one that failed."""
        self._meter.counter(RETRIES, self._address).add()

    def connections(self, in_use: int, idle: int) -> None:
        """How many connections there are. Other pools of the same endpoint add theirs."""
        if self._told is None:
            self._make()
        assert self._told is not None, "just made"
        for cell, now, before in zip(self._states, (in_use, idle), self._told, strict=True):
            cell.add(now - before)
        self._told = in_use, idle

    async def close(self) -> None:
        await self._meter.close()
