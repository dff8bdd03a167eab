"""What `edge test` prints, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import Result

from tests.cli.conftest import EDGE

Call = Callable[..., Result]

SITE = """:80 {
    @writes method POST
    handle /api/* {
        proxy 10.0.0.1:8080
    }
    respond @writes 405
    respond hello
}
"""
GOOD = 'test "good" {\n    request GET /\n    expect body hello\n}\n'
BAD = 'test "bad" {\n    request GET /\n    expect body bye\n}\n'


@pytest.fixture
def edgefile(tmp_path: Path) -> Callable[..., None]:
    """Writes files: `Edgefile` of the text, and others by name."""

    def write(text: str | None, **others: str) -> None:
        for name, content in {"Edgefile": text, **others}.items():
            if content is not None:
                (tmp_path / name.replace("_", ".")).write_text(content)

    return write


def test_tests_that_pass_are_counted(call: Call, edgefile: Callable[..., None]) -> None:
    edgefile(SITE + GOOD, more_test_edge=GOOD)
    result = call("test")
    assert result.exit_code == 0
    assert result.output.startswith("2 passed in ")
    named = call("test", "-v", "Edgefile")
    assert "PASSED Edgefile:9:1 good\n" in named.output
    assert f"PASSED {Path('more.test.edge')}:1:1 good\n" in named.output


def test_tests_that_fail_show_the_walk_and_end_with_1(call: Call, edgefile: Callable[..., None]) -> None:
    edgefile(SITE + GOOD + BAD)
    result = call("test")
    assert result.exit_code == 1
    assert "FAILED Edgefile:13:1 bad\n" in result.output
    assert "Edgefile:15:5: expected body bye; there came 'hello'" in result.output
    assert "→ 200" in result.output
    assert result.output.splitlines()[-1].startswith("1 passed, 1 failed in ")
    assert "\x1b" not in result.output


def test_a_file_with_errors_shows_them_and_runs_nothing(call: Call) -> None:
    result = call("test", "-", stdin=SITE.replace("proxy", "proxi") + GOOD + 'test "x" {\n    reqest GET /\n}\n')
    assert result.exit_code == 1
    assert 'there is no directive "proxi"' in result.output
    assert 'did you mean "request"?' in result.output
    assert "passed" not in result.output


def test_problems_are_json_for_tools(call: Call) -> None:
    result = call("test", "-", "--format", "json", stdin=SITE.replace("proxy", "proxi") + GOOD)
    assert result.exit_code == 1
    assert [problem["code"] for problem in json.loads(result.output)["problems"]] == ["E101"]


@pytest.mark.parametrize("words", [[], ["-k", "nothing"]])
def test_without_any_test_it_ends_with_5(call: Call, edgefile: Callable[..., None], words: list[str]) -> None:
    edgefile(SITE if not words else SITE + GOOD)
    assert call("test", *words).exit_code == 5


def test_a_malformed_expression_is_wrong_usage(call: Call, edgefile: Callable[..., None]) -> None:
    edgefile(SITE + GOOD)
    result = call("test", "-k", "a b")
    assert result.exit_code == 2
    assert '"and" or "or" is expected before "b"' in result.output


def test_a_file_of_tests_belongs_to_the_file_of_its_name_or_to_the_edgefile(
    call: Call, edgefile: Callable[..., None]
) -> None:
    other = SITE.replace("hello", "bye")
    edgefile(SITE, other_edge=other, other_test_edge=BAD, more_test_edge=GOOD)
    assert call("test").output.startswith("2 passed")
    assert call("test", "Edgefile").output.startswith("1 passed")
    assert call("test", "./Edgefile", "more.test.edge").output.startswith("1 passed")
    assert call("test", "other.edge").output.startswith("1 passed")
    assert call("test", "other.test.edge").output.startswith("1 passed")


def test_a_file_of_tests_with_sites_tests_itself(call: Call, edgefile: Callable[..., None]) -> None:
    edgefile(SITE + GOOD, own_test_edge=SITE.replace("hello", "bye") + BAD)
    assert call("test").output.startswith("2 passed")
    assert call("test", "own.test.edge").output.startswith("1 passed")


def test_snippets_serve_in_files_of_tests(call: Call, edgefile: Callable[..., None]) -> None:
    snippet = "(up) {\n    upstream 10.0.0.1:8080 {\n        body {args[0]}\n    }\n}\n"
    test = 'test "it" {\n    import up there\n    request GET /api/\n    expect body there\n}\n'
    edgefile(SITE, more_test_edge=snippet + test)
    assert call("test").output.startswith("1 passed")


def test_a_folder_is_searched(call: Call, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Edgefile").write_text(SITE + GOOD)
    (tmp_path / "two" / "more.test.edge").write_text(GOOD)
    assert call("test", ".").output.startswith("3 passed")


def test_a_file_of_tests_without_anything_to_test_is_told(call: Call, edgefile: Callable[..., None]) -> None:
    edgefile(None, lone_test_edge=GOOD)
    result = call("test")
    assert result.exit_code == 1
    assert "there is no Edgefile beside it to test" in result.output


def test_it_stops_at_the_first_failure_when_asked(call: Call, edgefile: Callable[..., None]) -> None:
    edgefile(SITE + BAD + GOOD + BAD)
    assert call("test", "-x").output.splitlines()[-1].startswith("1 failed in ")
    assert call("test").output.splitlines()[-1].startswith("1 passed, 2 failed in ")


def test_tests_are_chosen_by_name(call: Call, edgefile: Callable[..., None]) -> None:
    edgefile(SITE + GOOD + BAD)
    result = call("test", "-k", "not bad")
    assert (result.exit_code, result.output.split(" in ")[0]) == (0, "1 passed, 1 deselected")


def test_tests_are_listed(call: Call, edgefile: Callable[..., None]) -> None:
    edgefile(SITE + GOOD + BAD)
    assert call("test", "--list").output == "Edgefile:9:1 good\nEdgefile:13:1 bad\n"
    listed = json.loads(call("test", "--list", "--format", "json", "-k", "bad").output)
    assert listed == [{"name": "bad", "place": "Edgefile:13:1"}]


def test_coverage_lists_what_no_test_touched(call: Call, edgefile: Callable[..., None]) -> None:
    edgefile(SITE + GOOD)
    result = call("test", "--coverage")
    assert result.exit_code == 0
    assert result.output.splitlines()[:-1] == [
        "not touched by any test:",
        "  Edgefile:2: matcher @writes",
        "  Edgefile:3: route handle /api/*",
        "  Edgefile:4: directive proxy 10.0.0.1:8080",
        "  Edgefile:6: directive respond @writes 405",
        "coverage: 33 % (2 of 6)",
    ]


@pytest.mark.parametrize(("least", "code"), [("33", 0), ("34", 1)])
def test_too_little_coverage_fails(call: Call, edgefile: Callable[..., None], least: str, code: int) -> None:
    edgefile(SITE + GOOD)
    assert call("test", "--coverage-min", least).exit_code == code


def test_results_are_written_as_junit(call: Call, edgefile: Callable[..., None], tmp_path: Path) -> None:
    edgefile(SITE + GOOD + BAD)
    assert call("test", "--junit", "results.xml").exit_code == 1
    document = ElementTree.parse(tmp_path / "results.xml").getroot()
    assert [case.get("name") for case in document.iter("testcase")] == ["good", "bad"]


def test_a_file_with_errors_is_an_error_in_junit(call: Call, tmp_path: Path) -> None:
    assert call("test", "-", "--junit", "results.xml", stdin=SITE.replace("proxy", "proxi") + GOOD).exit_code == 1
    document = ElementTree.parse(tmp_path / "results.xml").getroot()
    assert document.get("errors") == "1"
    assert [error.get("message") for error in document.iter("error")] == ['there is no directive "proxi"']


def test_results_are_json_for_tools(call: Call, edgefile: Callable[..., None]) -> None:
    edgefile(SITE + GOOD + BAD)
    found = json.loads(call("test", "--format", "json", "--coverage").output)
    assert [(test["name"], test["passed"]) for test in found["tests"]] == [("good", True), ("bad", False)]
    assert found["coverage"]["parts"] == 6


def test_what_cannot_be_watched_is_wrong_usage(call: Call) -> None:
    assert call("test", "--watch", "-").exit_code == 2
    assert call("test", "--watch", "--list").exit_code == 2


def test_watching_runs_again_when_a_file_changes(tmp_path: Path, edgefile: Callable[..., None]) -> None:
    edgefile("import site.edge\n", site_edge=SITE, more_test_edge=GOOD)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [EDGE, "test", "--watch"], cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("1 passed")
        (tmp_path / "site.edge").write_text(SITE.replace("hello", "goodbye"))
        assert process.stdout.readline() == "\n"
        assert process.stdout.readline() == "FAILED more.test.edge:1:1 good\n"
    finally:
        process.kill()
        process.communicate()
