"""Pytest runs `test` blocks."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from edgescript.testing import plugin

pytest_plugins = "pytester"

Run = Callable[..., pytest.RunResult]

SITE = ":80 {\n    respond hello\n}\n"
GOOD = 'test "good" {\n    request GET /\n    expect body hello\n}\n'
BAD = 'test "bad" {\n    request GET /\n    expect body bye\n}\n'


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs pytest with the plug-in alone, in an empty directory."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return lambda *words: pytester.runpytest_inprocess("-p", plugin.__name__, *words)


def test_files_of_tests_are_collected_wherever_pytest_looks(run: Run, pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("Edgefile").write_text(SITE + BAD)
    pytester.path.joinpath("site.test.edge").write_text(GOOD)
    pytester.path.joinpath("own.test.edge").write_text(SITE.replace("hello", "bye") + BAD)
    result = run("-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["own.test.edge::bad PASSED*", "site.test.edge::good PASSED*"])


def test_an_edgefile_that_is_named_is_run_with_the_tests_beside_it(run: Run, pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("Edgefile").write_text(SITE + GOOD)
    pytester.path.joinpath("more.test.edge").write_text(GOOD)
    run("Edgefile").assert_outcomes(passed=2)
    run("Edgefile", "more.test.edge").assert_outcomes(passed=2)


def test_a_failure_is_reported_as_edge_test_does_it(run: Run, pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("Edgefile").write_text(SITE + BAD)
    result = run("Edgefile")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*expected body bye; there came 'hello'*", "*answer*respond hello*", "*→ 200*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*plugin.py*")


def test_tests_are_chosen_by_name(run: Run, pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("Edgefile").write_text(SITE + GOOD + BAD)
    run("Edgefile", "-k", "good").assert_outcomes(passed=1, deselected=1)
    run("Edgefile::good").assert_outcomes(passed=1)


def test_problems_of_the_file_are_an_error_of_collecting_it(run: Run, pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("Edgefile").write_text(SITE.replace("respond", "respnod") + GOOD)
    result = run("Edgefile")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(['*there is no directive "respnod"*'])


def test_tests_without_anything_to_test_are_an_error(run: Run, pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("lone.test.edge").write_text(GOOD)
    result = run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*there is no Edgefile beside it to test*"])


def test_edge_works_in_plain_test_functions(run: Run, pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("Edgefile").write_text(SITE)
    pytester.makepyfile(
        """
        from edgescript.testing import Edge

        def test_it():
            assert Edge("Edgefile").get("http://localhost/").text == "hello"
        """
    )
    run("-W", "error::ResourceWarning").assert_outcomes(passed=1)


def test_pytest_finds_the_plug_in_by_itself() -> None:
    project = Path(plugin.__file__).parents[2] / "pyproject.toml"
    entries = tomllib.loads(project.read_text())["project"]["entry-points"]["pytest11"]
    assert plugin.__name__ in entries.values()
