"""What is counted of requests and of the connections they come in on.

A tally is made for each route of a site when the graph is built, and its cells when they are first needed, so a file of
10,000 sites costs nothing more. The server notes on the exchange which tally is its own, and calls `count` at the end: a
look-up, and an addition or two for each metric.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from edgescript.metric import DURATIONS, OTHER, SIZES, Counter, Histogram, Kind, Meter, Metric

if TYPE_CHECKING:
    from edgescript.http.exchange import Exchange

_PLACE = ("site", "route")

REQUESTS = Metric(
    "edge_http_requests",
    Kind.COUNTER,
    "Requests that are over, by what was answered; status 0 where no answer was given.",
    (*_PLACE, "method", "status"),
)
DURATION = Metric(
    "edge_http_request_duration_seconds",
    Kind.HISTOGRAM,
    "From the end of a request's head to the end of its response.",
    _PLACE,
    DURATIONS,
    exemplars=True,
)
FIRST_BYTE = Metric(
    "edge_http_response_first_byte_seconds",
    Kind.HISTOGRAM,
    "From the end of a request's head to the first byte of its response.",
    _PLACE,
    DURATIONS,
)
RESPONSE_SIZE = Metric(
    "edge_http_response_size_bytes", Kind.HISTOGRAM, "Bytes of response bodies, as they were sent.", _PLACE, SIZES
)
REQUEST_SIZE = Metric(
    "edge_http_request_size_bytes", Kind.HISTOGRAM, "Bytes of request bodies, as far as they came.", _PLACE, SIZES
)
IN_FLIGHT = Metric(
    "edge_http_requests_in_flight",
    Kind.GAUGE,
    "Requests that wait for their response or for the rest of it.",
    ("listener",),
)
LOST = Metric("edge_http_requests_lost", Kind.COUNTER, "Requests that were in flight in a worker that ended.")
REFUSED = Metric(
    "edge_http_requests_refused",
    Kind.COUNTER,
    "Requests that never reached a site, because they were malformed, too large or too slow.",
    ("listener", "reason"),
)
ACCEPTED = Metric(
    "edge_connections_accepted", Kind.COUNTER, "Connections of clients that were accepted.", ("listener",)
)
OPEN = Metric(
    "edge_connections_open", Kind.GAUGE, "Connections of clients that are open, tunnels included.", ("listener",)
)

#: Methods that are told apart (RFC 9110 9, RFC 5789); clients may send any other word.
METHODS = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH"})

#: Why a request was refused, by the status that said so.
_REASONS = {
    400: "malformed",
    408: "timeout",
    411: "length_required",
    413: "body_too_large",
    414: "target_too_long",
    431: "head_too_large",
    501: "unsupported",
    505: "version",
}

#: The site of requests to hosts that have none.
NO_SITE = "_none"

#: Names of routes are the user's words; one that is longer is cut off.
_LONGEST = 120


class Tally:
    """The cells of one route of a site."""

    __slots__ = ("_duration", "_first_byte", "_meter", "_place", "_request_size", "_requests", "_response_size")

    _duration: Histogram
    _first_byte: Histogram
    _request_size: Histogram
    _response_size: Histogram

    def __init__(self, meter: Meter, site: str, route: str) -> None:
        self._meter = meter
        self._place = (site[:_LONGEST], route[:_LONGEST])
        #: By method as received and status.
        self._requests: dict[tuple[bytes, int], Counter] = {}

    def count(self, exchange: Exchange) -> None:
        """An exchange is over: what the engine says of it is set."""
        response = exchange.response
        kind = (exchange.original_method, 0 if response is None else response.status)
        cell = self._requests.get(kind) or self._cell(*kind)
        cell.slots[cell.at] += 1.0

        duration = exchange.duration
        histogram = self._duration
        slots, at, bounds = histogram.slots, histogram.at, histogram.bounds
        bucket = 1 + bisect_left(bounds, duration)
        slots[at + bucket] += 1.0
        slots[at] += duration
        span = exchange.span
        if span is not None and span.sampled:
            histogram.keep(duration, span)

        # An answer that is written at once has its first byte where it has its last; and most requests have no body. What
        # `observe` does stands here twice, because calling it costs as much again.
        histogram = self._first_byte
        if exchange.answered:
            histogram.observe(exchange.answered - exchange.started)
        else:
            slots, at = histogram.slots, histogram.at
            slots[at + bucket] += 1.0
            slots[at] += duration
        histogram = self._response_size
        slots, at = histogram.slots, histogram.at
        slots[at + 1 + bisect_left(histogram.bounds, exchange.sent)] += 1.0
        slots[at] += exchange.sent
        histogram = self._request_size
        body = exchange.body
        if body:
            histogram.observe(len(body) if isinstance(body, bytes) else getattr(body, "received", 0))
        else:
            histogram.slots[histogram.at + 1] += 1.0

    def _cell(self, method: bytes, status: int) -> Counter:
        if not self._requests:
            meter, place = self._meter, self._place
            self._duration = meter.histogram(DURATION, *place)
            self._first_byte = meter.histogram(FIRST_BYTE, *place)
            self._response_size = meter.histogram(RESPONSE_SIZE, *place)
            self._request_size = meter.histogram(REQUEST_SIZE, *place)
        name = method.decode() if method in METHODS else OTHER
        # What is kept here must be bounded, and methods are the client's choice.
        kind = (method if name is not OTHER else b"", status)
        cell = self._requests.get(kind)
        if cell is None:
            cell = self._requests[kind] = self._meter.counter(REQUESTS, *self._place, name, str(status))
        return cell


class ListenerTally:
    """The cells of one listener. `nowhere` is for requests to hosts that have no site there; None: they are not counted."""

    __slots__ = ("_meter", "_name", "accepted", "in_flight", "nowhere", "open")

    def __init__(self, meter: Meter, name: str, nowhere: Tally | None = None) -> None:
        self._meter = meter
        self._name = name
        self.nowhere = nowhere
        self.accepted = meter.counter(ACCEPTED, name)
        self.open = meter.gauge(OPEN, name)
        self.in_flight = meter.gauge(IN_FLIGHT, name)

    def refused(self, status: int) -> None:
        """A request was answered with this status and nobody saw it."""
        self._meter.counter(REFUSED, self._name, _REASONS.get(status, OTHER)).add()
