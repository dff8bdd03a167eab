"""Every Edgefile under `examples/` is valid, and its tests hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgescript.catalog import Catalogue
from edgescript.testing.check import check
from edgescript.text.source import Source

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/Edgefile"))


@pytest.mark.parametrize("file", EXAMPLES, ids=[file.parent.name for file in EXAMPLES])
def test_the_example_is_valid_and_its_tests_hold(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)  # where `log` would write
    report = check(
        Source(str(file), file.read_text()), catalogue=Catalogue.load(), environment={}, directory=str(file.parent)
    )
    assert str(report) == ""
    assert report.results
