"""The guide about testing shows Edgefiles whose tests hold, and Python that runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edgescript.catalog import Catalogue
from edgescript.testing.check import check
from edgescript.text.source import Source

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "testing.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", blocks("edgefile"))
def test_every_edgefile_passes_its_tests(text: str, tmp_path: Path) -> None:
    report = check(Source("Edgefile", text), catalogue=Catalogue.load(), environment={}, directory=str(tmp_path))
    assert str(report) == ""
    assert report.results


def test_the_python_runs_on_the_first_edgefile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Edgefile").write_text(blocks("edgefile")[0])
    (program,) = blocks("python")
    names: dict[str, object] = {}
    exec(program, names)
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert len(tests) == 3
    for test in tests:
        test()  # type: ignore[operator]


def test_the_failure_that_is_shown_is_what_is_printed(tmp_path: Path) -> None:
    from edgescript.testing.report import failed
    from edgescript.testing.suite import open_suite

    text = blocks("edgefile")[0].replace("expect  body sorry", 'expect  body "please wait"')
    suite = open_suite(Source("Edgefile", text), catalogue=Catalogue.load(), environment={}, directory=str(tmp_path))
    (result,) = [result for result in suite.run(suite.scenarios) if not result.passed]
    assert failed(result) == blocks("text")[0]


def test_every_line_that_a_test_may_have_is_in_the_guide() -> None:
    from edgescript.testing.scenario import _EXPECTATIONS, _REQUEST, _STAND_IN, _TEST

    for word in (*_TEST, *_REQUEST, *_STAND_IN):
        assert f"`{word}" in GUIDE, word
    for subject in _EXPECTATIONS:
        assert f"expect {subject.split()[0]}" in GUIDE, subject
