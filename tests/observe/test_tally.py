"""What one request adds to the metrics of its route."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from edgescript.metric import OTHER, Kind, Meter, Metric
from edgescript.tally import DURATION, FIRST_BYTE, REQUESTS, Tally

HITS = Metric("hits", Kind.COUNTER, "Hits.", ("number",))


class Span:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    span_id = "b7ad6b7169203331"

    def __init__(self, *, sampled: bool) -> None:
        self.sampled = sampled


def exchange(**more: Any) -> Any:
    said = {"response": SimpleNamespace(status=200), "original_method": b"GET", "duration": 0.003, "span": None,
            "answered": 0.0, "started": 10.0, "sent": 12, "body": b""}  # fmt: skip
    return SimpleNamespace(**{**said, **more})


def found(meter: Meter, metric: Metric) -> Any:
    (series,) = [one for one in meter.series() if one.metric == metric]
    return series


def test_a_recorded_trace_is_the_exemplar_of_its_bucket() -> None:
    meter = Meter()
    tally = Tally(meter, "a", "/")
    tally.count(exchange(span=Span(sampled=True)))
    tally.count(exchange(span=Span(sampled=False), duration=0.5))
    tally.count(exchange(duration=5.0))
    kept = [found(meter, DURATION).exemplar(bucket) for bucket in range(len(DURATION.buckets) + 1)]
    (exemplar,) = [one for one in kept if one is not None]
    assert (exemplar.trace_id, exemplar.span_id, exemplar.value) == (Span.trace_id, Span.span_id, 0.003)


def test_the_first_byte_comes_with_the_last_where_the_answer_is_written_at_once() -> None:
    meter = Meter()
    tally = Tally(meter, "a", "/")
    tally.count(exchange(duration=0.25))
    tally.count(exchange(duration=4.0, answered=10.5))
    assert found(meter, DURATION).values[0] == 4.25
    assert found(meter, FIRST_BYTE).values[0] == 0.75


def test_words_of_clients_take_no_memory() -> None:
    meter = Meter()
    tally = Tally(meter, "a", "/")
    for number in range(1000):
        tally.count(exchange(original_method=b"WORD%d" % number))
    assert found(meter, REQUESTS).labels == ("a", "/", OTHER, "200")
    assert found(meter, REQUESTS).values == [1000.0]
    assert len(tally._requests) == 1


@pytest.mark.anyio
async def test_what_is_counted_behind_the_end_of_its_graph_gives_way_too() -> None:
    meter = Meter()
    meter.budget = 2
    part = meter.part()
    await part.close()
    for number in range(10):
        part.counter(HITS, str(number)).add()
    values = {one.labels: one.values[0] for one in meter.series() if one.metric == HITS}
    assert sum(values.values()) == 10
    assert len(values) <= 3


def test_threads_may_make_series_at_the_same_time() -> None:
    meter = Meter()
    meter.budget = 100

    def make(first: int) -> None:
        for number in range(first, first + 50):
            meter.counter(HITS, str(number)).add()

    threads = [threading.Thread(target=make, args=(50 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    values = {one.labels: one.values[0] for one in meter.series() if one.metric == HITS}
    assert len(values) == 101
    assert sum(values.values()) >= 190  # of `_other` each thread may have lost some: it is one cell
