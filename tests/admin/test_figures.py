"""What the dashboard shows, from what was counted."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import anyio
import pytest

from edgescript.admin.figures import Figures, History, quantile
from edgescript.metric import Across
from edgescript.observe.process import LOOP_DELAY
from edgescript.tally import DURATION, IN_FLIGHT, REQUESTS
from edgescript.upstream.counts import FAILURES
from tests.admin.conftest import FakeOperator, worker

BOUNDS = (0.1, 0.2, 0.4)


@pytest.mark.parametrize(
    ("counts", "share", "found"),
    [
        ([0, 0, 0, 0], 0.5, None),
        ([10, 0, 0, 0], 0.5, 0.05),
        ([0, 10, 0, 0], 0.5, 0.15),
        ([0, 10, 0, 0], 1.0, 0.2),
        ([5, 5, 0, 0], 0.95, 0.19),
        ([0, 0, 0, 3], 0.5, 0.4),
        ([1, 0, 0, 1], 0.95, 0.4),
        ([1, 0, 1, 0], 0.5, 0.1),
    ],
)
def test_percentiles_are_read_off_the_buckets(counts: list[float], share: float, found: float | None) -> None:
    assert quantile(BOUNDS, counts, share) == (None if found is None else pytest.approx(found))


def taken(operator: FakeOperator) -> Figures:
    async def take() -> Figures:
        return await Figures.taken(operator)

    return anyio.run(take)


def shown(history: History, figures: Figures) -> dict[str, Any]:
    data = history.add(figures).decode()
    found: dict[str, Any] = json.loads(data.removeprefix("data: "))
    return found


def test_a_server_that_has_done_nothing_yet_can_be_shown() -> None:
    operator = FakeOperator(workers=[])
    state = shown(History(), taken(operator))
    assert (state["requests"], state["routes"], state["upstreams"], state["workers"]) == (0, [], [], [])
    assert state["ready"] is False
    assert state["reload"] is None


def test_rates_are_differences_and_never_negative() -> None:
    operator, history = FakeOperator(), History()
    cell = operator.meter.counter(REQUESTS, "s", "r", "GET", "404")
    cell.add(100)
    first = taken(operator)
    history.add(first)
    cell.add(30)
    state = shown(history, replace(taken(operator), time=first.time + 2))
    assert state["point"]["rate"] == 15
    assert state["point"]["classes"]["4xx"] == 15
    assert state["routes"][0]["rate"] == 15
    smaller = replace(first, time=first.time + 3)
    assert shown(history, smaller)["point"]["rate"] == 0
    much_later = replace(first, time=first.time + 100)
    assert shown(history, much_later)["point"] is None, "nobody looked in between"


def test_the_slowest_of_the_last_minute_comes_first() -> None:
    operator, history = FakeOperator(), History()

    def observe(route: str, *durations: float) -> None:
        for duration in durations:
            operator.meter.histogram(DURATION, "s", route).observe(duration)
            operator.meter.counter(REQUESTS, "s", route, "GET", "200").add()

    observe("once-slow", 5.0, 5.0)
    observe("idle", 3.0)
    observe("steady", 0.2)
    first = taken(operator)
    history.add(first)
    observe("once-slow", 0.001)
    observe("steady", 0.2)
    state = shown(history, replace(taken(operator), time=first.time + 1))
    assert [route["route"] for route in state["routes"]] == ["steady", "once-slow", "idle"]
    assert [route["lately"] for route in state["routes"]] == [True, True, False]


def test_workers_and_servers_behind_have_what_was_counted_of_them() -> None:
    operator = FakeOperator(workers=[worker(0), worker(1, restarts=3, reason="killed by SIGKILL")])
    delay = replace(LOOP_DELAY, labels=("worker",), across=Across.SUM)
    operator.meter.histogram(delay, "1").observe(0.2)
    operator.meter.gauge(IN_FLIGHT, ":80").set(2)
    operator.meter.gauge(IN_FLIGHT, ":81").set(1)
    operator.meter.counter(FAILURES, "10.0.0.1:80", "connect").add(2)
    operator.meter.counter(FAILURES, "10.0.0.1:80", "timeout").add(1)
    operator.answers["upstreams"] = [[{"address": "10.0.0.1:80", "in_use": 1, "idle": 0, "waiting": 0}], []]
    state = shown(History(), taken(operator))
    assert state["in_flight"] == 3
    assert [one["delay"] is not None for one in state["workers"]] == [False, True]
    assert state["workers"][1]["reason"] == "killed by SIGKILL"
    assert state["upstreams"][0]["failures"] == 3


def test_errors_are_answers_of_the_server_that_failed() -> None:
    operator = FakeOperator()
    for status, count in (("200", 5), ("404", 3), ("502", 2), ("0", 1)):
        operator.meter.counter(REQUESTS, "s", "r", "GET", status).add(count)
    (route,) = shown(History(), taken(operator))["routes"]
    assert (route["requests"], route["errors"]) == (11, 2)


def test_very_many_routes_are_shown_as_the_slowest_few() -> None:
    operator = FakeOperator()
    for number in range(500):
        operator.meter.histogram(DURATION, "s", f"r{number}").observe(number / 100)
    assert len(shown(History(), taken(operator))["routes"]) == 20
