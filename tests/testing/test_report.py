"""Results for people and for tools."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from edgescript.catalog import Catalogue
from edgescript.testing.report import as_json, failed, junit, summary
from edgescript.testing.suite import Result, open_suite
from edgescript.text.source import Source

Results = Callable[[str], list[Result]]

GOOD = 'test "good" {\n    request GET /\n    expect status 200\n}\n'
BAD = 'test "bad <&> \\"quoted\\"" {\n    request GET /?x\n    expect status 404\n    expect header X 1\n}\n'


@pytest.fixture
def results(tmp_path: Path) -> Results:
    def run(text: str) -> list[Result]:
        suite = open_suite(
            Source("Edgefile", text), catalogue=Catalogue.load(), environment={}, directory=str(tmp_path)
        )
        return list(suite.run(suite.scenarios))

    return run


def test_a_failure_shows_what_differs_the_walk_and_the_answer(results: Results) -> None:
    (result,) = results(f':80 {{\n    header X-One 1\n    respond "hello"\n}}\n{BAD}')
    assert (
        failed(result)
        == """FAILED Edgefile:5:1 bad <&> "quoted"
  Edgefile:7:5: expected status 404; there came status 200
  Edgefile:8:5: expected header X 1; there came no x; there are content-length, content-type, server, x-one

    GET /?x

    site    :80              Edgefile:1:1  the host is localhost, and this site takes every host that no other has
    wrap    header X-One 1   Edgefile:2:5
    answer  respond "hello"  Edgefile:3:5  answer 200

    → 200
      content-type: text/plain; charset=utf-8
      server: edge
      x-one: 1
      content-length: 5

      hello
"""
    )


def test_what_would_move_a_cursor_is_not_printed(results: Results) -> None:
    text = ':80 {\n    respond {query.x}\n}\ntest "it" {\n    request GET /?x=%1b[31m%00\n    expect body ""\n}\n'
    (result,) = results(text)
    assert result.failures
    assert "\x1b" not in failed(result)
    assert "\x00" not in failed(result)


def test_a_summary_counts_what_there_is(results: Results) -> None:
    found = results(f":80 {{\n    respond 200\n}}\n{GOOD}{BAD}{GOOD}")
    assert summary(found, 0, 0.021) == "2 passed, 1 failed in 0.02 s"
    assert summary(found[:1], 4, 1) == "1 passed, 4 deselected in 1.00 s"
    assert summary([], 0, 0) == "no tests in 0.00 s"


def test_junit_has_a_suite_for_each_file_and_a_case_for_each_test(results: Results) -> None:
    document = ElementTree.fromstring(junit(results(f":80 {{\n    respond 200\n}}\n{GOOD}{BAD}")))
    assert (document.tag, document.get("tests"), document.get("failures")) == ("testsuites", "2", "1")
    (suite,) = document
    assert (suite.tag, suite.get("name"), suite.get("tests"), suite.get("failures")) == (
        "testsuite",
        "Edgefile",
        "2",
        "1",
    )
    good, bad = suite
    assert (good.get("name"), good.get("classname"), good.get("line"), len(good)) == ("good", "Edgefile", "4", 0)
    assert bad.get("name") == 'bad <&> "quoted"'
    assert float(bad.get("time") or "") > 0
    (failure,) = bad
    assert (failure.get("message") or "").startswith("expected status 404; there came status 200; expected header X 1")
    assert "→ 200" in (failure.text or "")


def test_junit_holds_nothing_that_xml_cannot(results: Results) -> None:
    text = ":80 {\n    header X {query.x}\n    respond {query.x}\n}\n"
    found = results(text + 'test "it" {\n    request GET /?x=%0b%00%ff\n    expect body ""\n}\n')
    assert found[0].failures
    ElementTree.fromstring(junit(found))


def test_json_has_everything_that_the_text_has(results: Results) -> None:
    found = json.loads(json.dumps(as_json(results(f":80 {{\n    respond hello\n}}\n{GOOD}{BAD}"), 1, 0.5, {})))
    assert (found["passed"], found["failed"], found["deselected"]) == (1, 1, 1)
    good, bad = found["tests"]
    assert (good["name"], good["file"], good["line"], good["failures"]) == ("good", "Edgefile", 4, [])
    first = bad["failures"][0]
    assert (first["message"], first["line"]) == ("expected status 404; there came status 200", 10)
    assert first["walk"]["steps"][-1]["text"] == "respond hello"
    assert (first["answer"]["status"], first["answer"]["body"]) == (200, "hello")
    assert found["coverage"] == {"percentage": 100.0, "parts": 0, "missed": []}
