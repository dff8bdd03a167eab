"""What workers have counted outlives them: several processes, one of them killed, are added up without asking any."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from edgescript.metric import BUDGET, FOLDED, OTHER, Across, Kind, Meter, Metric, Series
from edgescript.observe.segments import Family, Segment, Totals, families, meter_on
from edgescript.tally import IN_FLIGHT, LOST

HITS = Metric("hits", Kind.COUNTER, "Hits.", ("site",))
OPEN = Metric("open", Kind.GAUGE, "Open.")
OLDEST = Metric("oldest", Kind.GAUGE, "Oldest.", across=Across.MAX)
MEMORY = Metric("memory", Kind.GAUGE, "Memory.", across=Across.WORKER)
SECONDS = Metric("seconds", Kind.HISTOGRAM, "Seconds.", ("site",), (0.1, 1.0), exemplars=True)


class Recorded:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    span_id = "b7ad6b7169203331"
    sampled = True


@pytest.fixture
def segment() -> Iterator[Segment]:
    made = Segment.create("1")
    yield made
    made.close()


def values(found: list[Family], metric: Metric) -> dict[tuple[str, ...], list[float]]:
    for family in found:
        if family.metric.name == metric.name:
            return {series.labels: series.values for series in family.series}
    return {}


def in_a_process(work: Callable[[], None]) -> int:
    """Fork a worker that does some work and then waits to be killed; gives its pid when the work is done."""
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(ready)
            work()
            os.write(tell, b".")
            signal.pause()
        finally:
            os._exit(1)
    os.close(tell)
    assert os.read(ready, 1) == b"."
    os.close(ready)
    return pid


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_what_is_counted_there_is_read_here(segment: Segment) -> None:
    meter = meter_on(segment.descriptor)
    meter.counter(HITS, "a").add(2)
    meter.gauge(OPEN).set(7)
    meter.histogram(SECONDS, "a").observe(0.5)
    assert {series.labels: series.values for series in segment.series() if series.metric == HITS} == {("a",): [2.0]}
    (histogram,) = [series for series in segment.series() if series.metric == SECONDS]
    assert histogram.values[0] == 0.5
    assert histogram.counts == [0.0, 1.0, 0.0]


def test_several_processes_are_added_up_and_a_killed_one_loses_nothing() -> None:
    totals = Totals()
    segments = [Segment.create(str(number)) for number in range(3)]
    pids = []
    for number, one in enumerate(segments):
        totals.add(one)

        def work(one: Segment = one, number: int = number) -> None:
            meter = meter_on(one.descriptor)
            cell = meter.counter(HITS, "a")
            for _ in range(1000):
                cell.add()
            meter.gauge(OPEN).add(10)
            meter.gauge(OLDEST).set(number)
            meter.gauge(MEMORY).set(number)
            meter.gauge(IN_FLIGHT, ":80").add(2)
            meter.histogram(SECONDS, "a").observe(0.05 * 10**number)

        pids.append(in_a_process(work))
    before = totals.families()
    assert values(before, HITS) == {("a",): [3000.0]}
    assert values(before, OPEN) == {(): [30.0]}
    assert values(before, OLDEST) == {(): [2.0]}
    assert values(before, MEMORY) == {("0",): [0.0], ("1",): [1.0], ("2",): [2.0]}
    assert values(before, SECONDS)[("a",)][:4] == [5.55, 1.0, 1.0, 1.0]

    kill(pids[1])
    totals.retire(segments[1])
    segments[1].close()
    after = totals.families()
    assert values(after, HITS) == {("a",): [3000.0]}
    assert values(after, OPEN) == {(): [20.0]}
    assert values(after, MEMORY) == {("0",): [0.0], ("2",): [2.0]}
    assert values(after, SECONDS) == values(before, SECONDS)
    assert values(after, LOST) == {(): [2.0]}

    for number in (0, 2):
        kill(pids[number])
        totals.retire(segments[number])
        segments[number].close()
    assert values(totals.families(), HITS) == {("a",): [3000.0]}


def test_counters_never_go_back_over_any_number_of_restarts() -> None:
    totals = Totals()
    last = 0.0
    for _ in range(5):
        one = Segment.create("1")
        totals.add(one)
        meter = meter_on(one.descriptor)
        seen = values(totals.families(), HITS).get(("a",), [0.0])[0]
        assert seen >= last
        meter.counter(HITS, "a").add(3)
        last = values(totals.families(), HITS)[("a",)][0]
        assert last == seen + 3
        totals.retire(one)
        one.close()
    assert values(totals.families(), HITS) == {("a",): [15.0]}


def test_a_counter_by_worker_goes_on_when_another_process_has_the_number() -> None:
    by_worker = replace(HITS, across=Across.WORKER)
    totals = Totals()
    for _ in range(2):
        one = Segment.create("4")
        totals.add(one)
        meter_on(one.descriptor).counter(by_worker, "a").add(1)
        totals.retire(one)
        one.close()
    assert values(totals.families(), HITS) == {("a", "4"): [2.0]}


def test_a_writer_that_died_in_the_middle_of_a_line_is_read_up_to_there(segment: Segment) -> None:
    meter = meter_on(segment.descriptor)
    meter.counter(HITS, "a").add()
    valid = segment._map.header[1]
    segment._map.names[valid : valid + 20] = b'["series",0,1,"torn '  # the header does not know of it yet
    assert [series.labels for series in segment.series()] == [("a",)]


def test_names_that_make_no_sense_do_not_take_away_what_did(segment: Segment) -> None:
    meter = meter_on(segment.descriptor)
    meter.counter(HITS, "a").add()
    for line in (b"garbage\n", b'["series",7,0,"b"]\n', b'["series",0,99999999999,"b"]\n', b'["gone",12]\n', b"\xff\n"):
        valid = segment._map.header[1]
        segment._map.names[valid : valid + len(line)] = line
        segment._map.header[1] = valid + len(line)
        assert [series.labels for series in segment.series()] == [("a",)]


def test_a_segment_has_one_writer(segment: Segment) -> None:
    meter_on(segment.descriptor).counter(HITS, "a").add()
    with pytest.raises(ValueError, match="new segment"):
        meter_on(segment.descriptor)


def test_what_is_no_segment_is_refused() -> None:
    descriptor = os.memfd_create("other")
    with pytest.raises(ValueError, match="not a segment"):
        meter_on(descriptor)
    os.close(descriptor)


def test_a_label_may_be_any_text(segment: Segment) -> None:
    meter = meter_on(segment.descriptor)
    texts = ["", "\n", '"', "\\", "ü", "\u2028", "a" * 10_000]
    for text in texts:
        meter.counter(HITS, text).add()
    assert [series.labels[0] for series in segment.series()] == texts


def test_beyond_the_budget_everything_is_one_series(segment: Segment) -> None:
    meter = meter_on(segment.descriptor)
    for number in range(BUDGET + 50):
        meter.counter(HITS, str(number)).add()
    found = families(segment.series())
    assert len(values(found, HITS)) == BUDGET + 1
    assert values(found, HITS)[(OTHER,)] == [50.0]
    assert values(found, FOLDED) == {("hits",): [50.0]}


def test_the_budget_is_that_of_the_meter() -> None:
    meter = Meter()
    meter.budget = 2
    for site in "abcab":
        meter.counter(HITS, site).add()
    found = values(families(meter.series()), HITS)
    assert found == {("a",): [2.0], ("b",): [2.0], (OTHER,): [1.0]}


@pytest.mark.anyio
async def test_series_that_no_graph_uses_any_more_give_way_and_their_counts_stay_in_the_sum(segment: Segment) -> None:
    meter = meter_on(segment.descriptor)
    meter.budget = 3
    old = meter.part()
    stale = old.counter(HITS, "old")
    stale.add(5)
    old.counter(HITS, "both").add(1)
    new = meter.part()
    new.counter(HITS, "both").add(1)
    new.counter(HITS, "new").add(1)
    await old.close()
    assert values(families(segment.series()), HITS)[("old",)] == [5.0]  # while there is room, it stays
    new.counter(HITS, "newer").add(1)
    expected = {("both",): [2.0], ("new",): [1.0], ("newer",): [1.0], (OTHER,): [5.0]}
    assert values(families(segment.series()), HITS) == expected
    stale.add(2)  # a request of the old graph that ends late
    assert values(families(segment.series()), HITS) == {**expected, (OTHER,): [7.0]}


@pytest.mark.anyio
async def test_reloads_without_end_need_no_more_room(segment: Segment) -> None:
    meter = meter_on(segment.descriptor)
    meter.budget = 10
    for number in range(500):
        graph = meter.part()
        graph.histogram(SECONDS, f"site {number}").observe(0.5)
        await graph.close()
    found = values(families(segment.series()), SECONDS)
    assert len(found) <= 11
    assert sum(one[2] for one in found.values()) == 500
    assert sum(one[0] for one in found.values()) == 250.0


def test_a_series_that_is_used_by_a_graph_never_gives_way() -> None:
    meter = Meter()
    meter.budget = 1
    cell = meter.part().counter(HITS, "kept")
    meter.part().counter(HITS, "late").add()
    cell.add()
    assert values(families(meter.series()), HITS) == {("kept",): [1.0], (OTHER,): [1.0]}


def test_a_bucket_keeps_the_last_recorded_trace(segment: Segment) -> None:
    cell = meter_on(segment.descriptor).histogram(SECONDS, "a")
    cell.keep(0.4, Recorded(), clock=lambda: 11.0)  # type: ignore[arg-type]  # what is kept of a span
    cell.keep(0.5, Recorded(), clock=lambda: 12.0)  # type: ignore[arg-type]
    (series,) = segment.series()
    assert series.exemplar(0) is None
    assert series.exemplar(1) == (0.5, 12.0, Recorded.trace_id, Recorded.span_id)


def test_a_torn_exemplar_is_none() -> None:
    cell = Meter().histogram(SECONDS, "a")
    cell.keep(0.5, Recorded(), clock=lambda: 12.0)  # type: ignore[arg-type]
    numbers = [*cell.slots]
    numbers[-1 - 9] = 0.0  # the second bucket's closing time
    assert Series(SECONDS, ("a",), numbers).exemplar(1) is None


def test_of_several_workers_the_latest_exemplar_is_shown() -> None:
    every = []
    for when in (5.0, 9.0, 7.0):
        meter = Meter()
        meter.histogram(SECONDS, "a").keep(when / 10, Recorded(), clock=lambda when=when: when)  # type: ignore
        every += meter.series()
    (family,) = families(every)
    exemplar = family.series[0].exemplar(1)
    assert exemplar is not None
    assert exemplar.when == 9.0


def test_most_of_a_segment_takes_no_memory(segment: Segment) -> None:
    meter_on(segment.descriptor).counter(HITS, "a").add()
    assert os.fstat(segment.descriptor).st_blocks * 512 <= 5 * 4096
