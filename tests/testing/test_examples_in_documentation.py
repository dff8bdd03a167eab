"""Every example that the documentation of an entry shows is an Edgefile whose tests hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgescript.catalog import Catalogue
from edgescript.testing.check import check
from edgescript.testing.examples import Example, examples
from edgescript.text.problem import Severity
from edgescript.text.source import Source

CATALOGUE = Catalogue.load()
EXAMPLES = list(examples(CATALOGUE))


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_the_example_holds(example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report = check(Source(example.name, example.text), catalogue=CATALOGUE, environment={}, directory=str(tmp_path))
    assert not [problem for problem in report.problems if problem.severity is Severity.ERROR], str(report)
    assert report.results, "an example has at least one test"
    assert not any(failures for _, failures in report.results), str(report)


def test_every_directive_and_matcher_has_an_example() -> None:
    shown = {(example.shelf, example.entry) for example in EXAMPLES}
    without = [
        f"{shelf}/{name}"
        for shelf in ("directives", "matchers")
        for name in CATALOGUE.names(shelf)
        if (shelf, name) not in shown
    ]
    assert not without
