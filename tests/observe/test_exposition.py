"""Metrics as text: which format, and that the readers of others find what was counted."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from edgescript.metric import Kind, Meter, Metric
from edgescript.observe.exposition import OPENMETRICS, TEXT, expose, wants_openmetrics
from edgescript.observe.segments import own_families

HITS = Metric("edge_hits", Kind.COUNTER, 'Hits, "quoted", with a \\ and\na line end.', ("site", "route"))
OPEN = Metric("edge_open", Kind.GAUGE, "Open.")
SECONDS = Metric("edge_wait_seconds", Kind.HISTOGRAM, "Seconds.", ("site",), (0.0005, 0.1, 1.0), exemplars=True)


class Recorded:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    span_id = "b7ad6b7169203331"
    sampled = True


def samples(text: bytes, read: Any) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in read(text.decode())
        for sample in family.samples
    }


# ---- which format

PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;"
    "q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


@pytest.mark.parametrize(
    "accept",
    [
        PROMETHEUS_3,
        PROMETHEUS_2,
        "application/openmetrics-text",
        "Application/OpenMetrics-Text; Version=1.0.0",
        'application/openmetrics-text; version="1.0.0"',
        "text/plain;q=0.5, application/openmetrics-text;q=0.5",
    ],
)
def test_openmetrics_is_for_those_who_ask_for_it(accept: str) -> None:
    assert wants_openmetrics(accept)
    assert expose([], accept) == (OPENMETRICS, b"# EOF\n")


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "text/plain;version=0.0.4",
        "text/html,application/xhtml+xml,*/*;q=0.8",
        "application/openmetrics-text;q=0.1, text/plain;q=0.2",
        "application/openmetrics-text;q=0",
        "application/openmetrics-text;version=2.0.0",
        "application/openmetrics-text;q=many",
        "application/openmetrics-text;q=2",
        ";;==,,;q",
    ],
)
def test_everybody_else_gets_the_text_format(accept: str) -> None:
    assert not wants_openmetrics(accept)
    assert expose([], accept) == (TEXT, b"")


@given(st.text(max_size=200))
def test_no_accept_is_an_error(accept: str) -> None:
    expose([], accept)


# ---- what is written


def metered() -> Meter:
    meter = Meter()
    meter.counter(HITS, "a", "/").add(3)
    meter.gauge(OPEN).set(-0.25)
    cell = meter.histogram(SECONDS, "a")
    for value in (0.0001, 0.05, 0.5, 0.5, 20.0):
        cell.observe(value)
    cell.keep(0.5, Recorded(), clock=lambda: 1700000000.5)  # type: ignore[arg-type]  # what is kept of a span
    return meter


EXPECTED = {
    ("edge_hits_total", (("route", "/"), ("site", "a"))): 3.0,
    ("edge_open", ()): -0.25,
    ("edge_wait_seconds_bucket", (("le", "0.0005"), ("site", "a"))): 1.0,
    ("edge_wait_seconds_bucket", (("le", "0.1"), ("site", "a"))): 2.0,
    ("edge_wait_seconds_bucket", (("le", "1.0"), ("site", "a"))): 4.0,
    ("edge_wait_seconds_bucket", (("le", "+Inf"), ("site", "a"))): 5.0,
    ("edge_wait_seconds_count", (("site", "a"),)): 5.0,
    ("edge_wait_seconds_sum", (("site", "a"),)): 21.0501,
}


@pytest.mark.parametrize(("accept", "read"), [("", read_text), ("application/openmetrics-text", read_openmetrics)])
def test_prometheus_own_reader_finds_what_was_counted(accept: str, read: Any) -> None:
    _, text = expose(own_families(metered()), accept)
    assert samples(text, read) == pytest.approx(EXPECTED)
    assert {family.name: family.documentation for family in read(text.decode())}["edge_hits"] == HITS.doc


def test_the_text_format_is_what_its_page_shows() -> None:
    _, text = expose(own_families(metered()))
    assert text.decode().splitlines()[:5] == [
        '# HELP edge_hits_total Hits, "quoted", with a \\\\ and\\na line end.',
        "# TYPE edge_hits_total counter",
        'edge_hits_total{site="a",route="/"} 3',
        "# HELP edge_open Open.",
        "# TYPE edge_open gauge",
    ]


def test_exemplars_are_in_openmetrics_only() -> None:
    found = own_families(metered())
    (with_exemplar,) = [
        sample
        for family in read_openmetrics(expose(found, "application/openmetrics-text")[1].decode())
        for sample in family.samples
        if sample.exemplar
    ]
    assert with_exemplar.labels["le"] == "1.0"
    assert with_exemplar.exemplar.labels == {"trace_id": Recorded.trace_id, "span_id": Recorded.span_id}
    assert (with_exemplar.exemplar.value, float(with_exemplar.exemplar.timestamp)) == (0.5, 1700000000.5)
    assert Recorded.trace_id.encode() not in expose(found)[1]


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_labels_are_read_back_whatever_is_in_them(site: str, route: str) -> None:
    meter = Meter()
    meter.counter(HITS, site, route).add()
    families = own_families(meter)
    key = ("edge_hits_total", (("route", route), ("site", site)))
    assert samples(expose(families)[1], read_text) == {key: 1.0}
    assert samples(expose(families, "application/openmetrics-text")[1], read_openmetrics) == {key: 1.0}


def test_what_is_no_unicode_text_is_replaced() -> None:
    meter = Meter()
    meter.counter(HITS, "/srv/\udcff", "/").add()
    assert b'site="/srv/?"' in expose(own_families(meter))[1]


@given(st.floats())
def test_every_number_is_read_back(value: float) -> None:
    meter = Meter()
    meter.gauge(OPEN).set(value)
    (found,) = samples(expose(own_families(meter))[1], read_text).values()
    assert found == value or (math.isnan(found) and math.isnan(value))
