"""The setting `metrics`: what may stand there, and what is said about the rest."""

from __future__ import annotations

from typing import Any

import pytest

from edgescript.catalog import Catalogue
from edgescript.graph.load import load
from edgescript.graph.shared import Shared
from edgescript.metric import Meter
from edgescript.settings.metrics import Metrics
from edgescript.text.source import Source

_CATALOGUE = Catalogue.load()


def problems(lines: str) -> list[str]:
    text = f"{{\n{lines}\n}}\n:80 {{\nrespond a\n}}\n"
    found = load(Source("Edgefile", text), catalogue=_CATALOGUE, environment={}, directory=".")
    return [problem.message for problem in found[1]]


def graph_of(lines: str, shared: Shared) -> Any:
    text = f"{{\n{lines}\n}}\n:80 {{\nrespond a\n}}\n"
    graph, _ = load(Source("Edgefile", text), catalogue=_CATALOGUE, environment={}, directory=".", shared=shared)
    assert graph is not None
    return graph


@pytest.mark.parametrize(
    "url",
    ["localhost:4318", "ftp://a/", "http://", "http://a:x/", "http://a:0/", '"http://a b/"', '"http://a/\\nX: y"'],
)
def test_a_collector_is_a_url(url: str) -> None:
    (message,) = problems(f"metrics {{\notlp {url}\n}}")
    assert "expected the URL of a collector" in message


def test_keys_do_not_stand_in_the_url() -> None:
    assert problems("metrics {\notlp http://me:key@a/\n}") == ["the URL of a collector has no name and password"]


@pytest.mark.parametrize("header", ['"Bad Name" x', '"" x', 'X "a\\nb"'])
def test_a_header_cannot_begin_another_one(header: str) -> None:
    assert len(problems(f"metrics {{\notlp http://a/ {{\nheader {header}\n}}\n}}")) == 1


def test_without_the_setting_everything_is_counted_with_the_default_budget() -> None:
    shared = Shared()
    graph = graph_of("", shared)
    assert graph.setting(Metrics).counts_requests
    assert shared.meter.budget == 1000
    assert graph.sites[0].program.tallies[0] is not None


def test_the_budget_is_the_meters_and_off_makes_no_tally() -> None:
    shared = Shared()
    graph = graph_of("metrics off {\nbudget 7\n}", shared)
    assert shared.meter.budget == 7
    assert set(graph.sites[0].program.tallies) == {None}
    assert graph.listeners[0].tally.nowhere is None


def test_a_worker_sends_nothing_itself() -> None:
    lines = "metrics {\notlp http://127.0.0.1:1/\n}"
    alone, worker = Shared(Meter()), Shared(_shared_meter())
    graph_of(lines, alone)
    graph_of(lines, worker)
    assert len(alone) == len(worker) + 1


def _shared_meter() -> Meter:
    meter = Meter()
    meter.shared = True  # as `meter_on` makes it
    return meter


def test_a_route_has_one_tally_wherever_its_text_stands() -> None:
    text = ":80 {\nhandle /a/* {\nheader X y\nrespond /a/x 204\nrespond 200\n}\nrespond /a/* 403\nrespond b\n}\n"
    graph, found = load(Source("E", text), catalogue=_CATALOGUE, environment={}, directory=".")
    assert graph is not None, found
    program = graph.sites[0].program
    by_text = {step.text: tally for step, tally in zip(program.steps, program.tallies, strict=True)}
    assert by_text["respond 200"] is by_text["header X y"] is by_text["respond /a/* 403"]
    assert by_text["respond b"] is by_text["answer 404"]
    assert len({id(tally) for tally in program.tallies}) == 3
