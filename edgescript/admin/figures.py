"""The server in numbers, for people who look at it: what the dashboard and `edge top` show.

Everything is made of what workers have counted (`operator.metrics()`) and of what they answer. Rates are differences of two
moments, percentiles are read off the buckets of a histogram, as Prometheus does it.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from edgescript.admin.applying import problems_as_json
from edgescript.admin.operator import Operator, Status
from edgescript.admin.shares import share_of
from edgescript.admin.stream import event
from edgescript.metric import Series
from edgescript.observe.process import LOOP_DELAY
from edgescript.observe.segments import Family
from edgescript.tally import DURATION, IN_FLIGHT, REQUESTS
from edgescript.upstream.counts import ATTEMPTS, FAILURES, LATENCY

CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")

#: Routes that are shown.
_MOST_ROUTES = 20
#: Points of the charts: seconds.
_KEPT = 300
#: Percentiles are of the last minute: so many moments, so many seconds apart.
_MOMENTS, _APART = 12, 5.0
#: Problems of a reload that are shown.
_MOST_PROBLEMS = 20


@dataclass(slots=True)
class Durations:
    """How many durations are in each bucket alone."""

    bounds: Sequence[float] = ()
    counts: list[float] = field(default_factory=list)

    def add(self, series: Series) -> None:
        self.bounds = series.metric.buckets
        self.counts = [a + b for a, b in zip(self.counts or [0.0] * len(series.counts), series.counts, strict=True)]

    def since(self, before: Durations | None) -> Durations:
        """Those that came since a moment before."""
        if before is None or len(before.counts) != len(self.counts):
            return self
        counts = [max(now - then, 0.0) for now, then in zip(self.counts, before.counts, strict=True)]
        return Durations(self.bounds, counts)

    def quantile(self, share: float) -> float | None:
        return quantile(self.bounds, self.counts, share)


@dataclass(slots=True)
class Route:
    """What was counted of one route."""

    requests: float = 0.0
    errors: float = 0.0
    durations: Durations = field(default_factory=Durations)


Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Figures:
    """The server at one moment. Counters are since its start."""

    time: float
    status: Status
    #: By class of status: "2xx".
    classes: Mapping[str, float]
    in_flight: float
    #: By site and route.
    routes: Mapping[Key, Route]
    #: By worker: how late the event loop was.
    delays: Mapping[str, Durations]
    upstreams: list[dict[str, Any]]

    @classmethod
    async def taken(cls, operator: Operator) -> Figures:
        found = _Families(operator.metrics())
        answers = await operator.ask("upstreams", {})
        return cls(
            time=time.time(),
            status=operator.status(),
            classes=_classes(found),
            in_flight=sum(value for _, value in found.values(IN_FLIGHT.name)),
            routes=_routes(found),
            delays=_durations(found, LOOP_DELAY.name, "worker"),
            upstreams=_upstreams(found, answers, operator),
        )

    @property
    def requests(self) -> float:
        return sum(self.classes.values())


class _Families:
    """The metrics by name."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = {family.metric.name: family for family in families}

    def series(self, name: str) -> Iterator[tuple[dict[str, str], Series]]:
        family = self._families.get(name)
        if family is not None:
            for one in family.series:
                yield dict(zip(family.metric.labels, one.labels, strict=False)), one

    def values(self, name: str) -> Iterator[tuple[dict[str, str], float]]:
        for labels, one in self.series(name):
            yield labels, one.values[0]


def _classes(found: _Families) -> dict[str, float]:
    sums = dict.fromkeys(CLASSES, 0.0)
    for labels, value in found.values(REQUESTS.name):
        name = f"{labels.get('status', '')[:1]}xx"
        if name in sums:
            sums[name] += value
    return sums


def _routes(found: _Families) -> dict[Key, Route]:
    routes: dict[Key, Route] = {}
    for labels, value in found.values(REQUESTS.name):
        route = routes.setdefault(_key(labels), Route())
        route.requests += value
        if labels.get("status", "").startswith("5"):
            route.errors += value
    for labels, series in found.series(DURATION.name):
        route = routes.setdefault(_key(labels), Route())
        route.durations.add(series)
    return routes


def _key(labels: Mapping[str, str]) -> Key:
    return labels.get("site", ""), labels.get("route", "")


def _durations(found: _Families, name: str, label: str) -> dict[str, Durations]:
    """The durations of a metric by one of its labels."""
    by_label: dict[str, Durations] = {}
    for labels, series in found.series(name):
        by_label.setdefault(labels.get(label, ""), Durations()).add(series)
    return by_label


def quantile(bounds: Sequence[float], counts: Sequence[float], share: float) -> float | None:
    """
    Below which value a share of all is, supposing that they are spread evenly in their bucket; None if there are none.

    What is above the last bound is taken for it, as Prometheus does.
    """
    total = sum(counts)
    if total <= 0:
        return None
    rank, below = share * total, 0.0
    for number, count in enumerate(counts):
        if count > 0 and below + count >= rank:
            if number >= len(bounds):
                break
            start = bounds[number - 1] if number else 0.0
            return start + (bounds[number] - start) * max(rank - below, 0.0) / count
        below += count
    return bounds[-1] if bounds else None


# ---- servers behind


class _Upstream(NamedTuple):
    """What is summed over the workers."""

    in_use: int
    idle: int
    waiting: int


def _upstreams(found: _Families, answers: Iterable[Any], operator: Operator) -> list[dict[str, Any]]:
    sums: dict[str, _Upstream] = {}
    for answer in answers:
        for one in answer:
            before = sums.get(one["address"], _Upstream(0, 0, 0))
            added = (before.in_use + one["in_use"], before.idle + one["idle"], before.waiting + one["waiting"])
            sums[one["address"]] = _Upstream(*added)
    attempts = _by_endpoint(found.values(ATTEMPTS.name))
    failures = _by_endpoint(found.values(FAILURES.name))
    latencies = _durations(found, LATENCY.name, "endpoint")
    return [
        {
            "address": address,
            **sums[address]._asdict(),
            **share_of(operator, address),
            "attempts": attempts.get(address, 0.0),
            "failures": failures.get(address, 0.0),
            "latency": _percentiles(latencies.get(address, Durations())),
        }
        for address in sorted(sums)
    ]


def _by_endpoint(values: Iterable[tuple[dict[str, str], float]]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for labels, value in values:
        address = labels.get("endpoint", "")
        sums[address] = sums.get(address, 0.0) + value
    return sums


def _percentiles(durations: Durations) -> dict[str, float | None]:
    return {"p50": durations.quantile(0.5), "p95": durations.quantile(0.95)}


# ---- what has happened between two moments


class History:
    """The last minutes, for charts, and what percentiles are compared with."""

    def __init__(self) -> None:
        self.points: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._last: Figures | None = None
        self._moments: deque[Figures] = deque(maxlen=_MOMENTS)

    def add(self, figures: Figures) -> bytes:
        """The event that shows this moment."""
        last, self._last = self._last, figures
        point = _point(figures, last)
        if point is not None:
            self.points.append(point)
        minute_ago = self._moments[0] if self._moments else None
        shown = {
            **_state(figures, minute_ago),
            "point": point,
            "routes": _slowest(figures, last, minute_ago),
            "upstreams": figures.upstreams,
        }
        if not self._moments or figures.time - self._moments[-1].time >= _APART:
            self._moments.append(figures)
        return event(json.dumps(shown, ensure_ascii=False, separators=(",", ":")))

    def encoded(self) -> str | None:
        """The charts so far; None if there is nothing yet."""
        return json.dumps(list(self.points), separators=(",", ":")) if self.points else None


def _point(now: Figures, before: Figures | None) -> dict[str, Any] | None:
    """One second of the charts; None for the first moment, which is compared with nothing, and after a pause."""
    if before is None or not 0 < now.time - before.time < 10:
        return None
    span = now.time - before.time
    classes = {name: round(max(now.classes[name] - before.classes[name], 0.0) / span, 2) for name in CLASSES}
    return {"time": round(now.time, 3), "rate": round(sum(classes.values()), 2), "classes": classes}


def _slowest(now: Figures, last: Figures | None, minute_ago: Figures | None) -> list[dict[str, Any]]:
    """The routes that answered lately, the slowest first; those that did not, by their whole life."""
    span = 0.0 if last is None else now.time - last.time
    shown: list[dict[str, Any]] = []
    for key, route in now.routes.items():
        before = None if minute_ago is None else minute_ago.routes.get(key)
        durations = route.durations.since(None if before is None else before.durations)
        lately = any(durations.counts)
        rate = max(route.requests - last.routes.get(key, Route()).requests, 0.0) / span if last and span > 0 else 0.0
        shown.append(
            {
                "site": key[0],
                "route": key[1],
                "requests": route.requests,
                "errors": route.errors,
                "rate": round(rate, 2),
                **_percentiles(durations if lately else route.durations),
                "lately": lately,
            }
        )
    shown.sort(key=lambda one: (not one["lately"], -(one["p95"] or 0.0), one["site"], one["route"]))
    return shown[:_MOST_ROUTES]


def _state(figures: Figures, minute_ago: Figures | None) -> dict[str, Any]:
    status = figures.status
    return {
        "time": round(figures.time, 3),
        "version": status.version,
        "pid": status.pid,
        "started": status.started,
        "ready": status.ready,
        "addresses": list(status.addresses),
        "config": {
            "number": status.config.number,
            "when": status.config.when,
            "source": status.config.source,
            "name": status.config.name,
        },
        "requests": figures.requests,
        "in_flight": figures.in_flight,
        "workers": [
            {
                "number": worker.number,
                "pid": worker.pid,
                "state": worker.state,
                "since": worker.since,
                "restarts": worker.restarts,
                "reason": worker.reason,
                "delay": _delay(figures, minute_ago, str(worker.number)),
            }
            for worker in status.workers
        ],
        "reload": _reload(status),
    }


def _delay(now: Figures, minute_ago: Figures | None, worker: str) -> float | None:
    """How late a worker's loop is at its 99th percentile, lately."""
    delays = now.delays.get(worker, Durations())
    before = None if minute_ago is None else minute_ago.delays.get(worker)
    lately = delays.since(before)
    return (lately if any(lately.counts) else delays).quantile(0.99)


def _reload(status: Status) -> dict[str, Any] | None:
    last = status.last_reload
    if last is None:
        return None
    problems = problems_as_json(list(last.problems)[:_MOST_PROBLEMS])
    return {"done": last.done, "reason": last.reason, "number": last.number, "problems": problems}
