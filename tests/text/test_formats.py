"""Problems for tools: JSON, GitHub's workflow commands, SARIF."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgescript.text import formats
from edgescript.text.formats import github, sarif
from edgescript.text.formats import json as as_json
from edgescript.text.problem import Edit, Fix, Note, Problem
from edgescript.text.source import Source, Span

FORMATS = sorted(path.stem for path in Path(formats.__path__[0]).glob("[!_]*.py"))

MAIN = Source("sites/my site.edge", "a {\n    proxyy x\n}\n")
PART = Source("part.edge", "x 1\ny 2\n")
NAME = Span(MAIN, 8, 14)
FIXED = Problem(
    "E101", "there is none", NAME, (Note("see", Span(MAIN, 0, 1)), Note("and")), "do",
    Fix('write "proxy"', (Edit(NAME, "proxy"),), safe=True),
)  # fmt: skip
IMPORTED = Problem("W201", "odd: 100%, really\nyes", Span(PART, 0, 7, Span(MAIN, 0, 1)))
NOWHERE = Problem("W101", "a plug-in", None)


def test_json_tells_the_fix() -> None:
    (found,) = json.loads(as_json.render([FIXED]))
    edit = {"file": MAIN.name, "line": 2, "column": 5, "end_line": 2, "end_column": 11, "text": "proxy"}
    assert found["fix"] == {"title": 'write "proxy"', "safe": True, "edits": [edit]}


def test_github_gets_one_command_for_each_problem_with_everything_escaped() -> None:
    assert github.render([FIXED, IMPORTED, NOWHERE]) == (
        "::error file=sites/my site.edge,line=2,endLine=2,col=5,endColumn=10,title=E101"
        "::there is none%0Anote: see (sites/my site.edge:1:1)%0Anote: and%0Ahint: do\n"
        "::warning file=part.edge,line=1,endLine=2,title=W201"
        "::odd: 100%25, really%0Ayes%0Aimported at sites/my site.edge:1:1\n"
        "::warning title=W101::a plug-in\n"
    )


def test_a_name_cannot_end_a_property_of_github_or_begin_a_command() -> None:
    problem = Problem("E101", "x\r\n::set-output name=a::b", Span(Source("a,b:c%\n", "x"), 0, 1))
    (line,) = github.render([problem]).splitlines()
    assert line == (
        "::error file=a%2Cb%3Ac%25%0A,line=1,endLine=1,col=1,endColumn=1,title=E101::x%0D%0A::set-output name=a::b"
    )


def test_sarif_has_rules_from_the_pages_places_notes_imports_and_fixes() -> None:
    log = json.loads(sarif.render([FIXED, IMPORTED, NOWHERE]))
    (run,) = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["E101", "W101", "W201"]
    rule = run["tool"]["driver"]["rules"][0]
    assert rule["shortDescription"]["text"] == "an unknown directive"
    assert rule["help"]["markdown"].startswith("# E101: an unknown directive")
    first, second, third = run["results"]
    region = {"startLine": 2, "startColumn": 5, "endLine": 2, "endColumn": 11}
    place = {"artifactLocation": {"uri": "sites/my%20site.edge"}, "region": region}
    assert first["locations"] == [{"physicalLocation": place}]
    assert [one["message"]["text"] for one in first["relatedLocations"]] == ["see"]
    assert first["fixes"][0]["artifactChanges"][0]["replacements"] == [
        {"deletedRegion": region, "insertedContent": {"text": "proxy"}}
    ]
    assert [one["message"]["text"] for one in second["relatedLocations"]] == ["imported here"]
    assert "locations" not in third


#: Of the schema of SARIF 2.1.0, what each kind of object here may hold; `!` marks what it must.
SHAPES = {
    "log": {"$schema": str, "version!": str, "runs!": ["run"]},
    "run": {"tool!": "tool", "columnKind": str, "results": ["result"]},
    "tool": {"driver!": "component"},
    "component": {"name!": str, "version": str, "rules": ["rule"]},
    "rule": {"id!": str, "shortDescription": "multiformat", "help": "multiformat", "defaultConfiguration": "configuration"},
    "multiformat": {"text!": str, "markdown": str},
    "configuration": {"level": "level"},
    "result": {
        "ruleId": str, "ruleIndex": int, "level": "level", "message!": "message", "locations": ["location"],
        "relatedLocations": ["location"], "fixes": ["fix"],
    },
    "message": {"text!": str},
    "location": {"id": int, "physicalLocation": "physical", "message": "message"},
    "physical": {"artifactLocation!": "artifact", "region": "region"},
    "artifact": {"uri!": "uri"},
    "region": {"startLine!": "from 1", "startColumn!": "from 1", "endLine!": "from 1", "endColumn!": "from 1"},
    "fix": {"description": "message", "artifactChanges!": ["change"]},
    "change": {"artifactLocation!": "artifact", "replacements!": ["replacement"]},
    "replacement": {"deletedRegion!": "region", "insertedContent": "content"},
    "content": {"text!": str},
}  # fmt: skip


def assert_shape(value: Any, shape: Any) -> None:
    if isinstance(shape, list):
        assert isinstance(value, list)
        for item in value:
            assert_shape(item, shape[0])
    elif isinstance(shape, type):
        assert type(value) is shape
    elif shape == "level":
        assert value in ("none", "note", "warning", "error")
    elif shape == "from 1":
        assert value >= 1
    elif shape == "uri":
        assert re.fullmatch(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*", value)
    else:
        known = SHAPES[shape]
        assert {name.rstrip("!") for name in known} >= set(value)
        assert {name.rstrip("!") for name in known if name.endswith("!")} <= set(value)
        for name, inner in known.items():
            if name.rstrip("!") in value:
                assert_shape(value[name.rstrip("!")], inner)


@given(st.text(max_size=60), st.text(max_size=80), st.integers(0, 80), st.integers(0, 20), st.booleans())
def test_any_problem_can_be_written_in_every_format(name: str, text: str, start: int, length: int, fixed: bool) -> None:
    start = min(start, len(text))
    span = Span(Source(name, text), start, min(start + length, len(text)))
    fix = Fix(text, (Edit(span, text),)) if fixed else None
    problem = Problem("E101", text, span._replace(imported=span), (Note(text, span),), text, fix)
    assert github.render([problem]).count("\n") == 1
    json.loads(as_json.render([problem]))
    log = json.loads(sarif.render([problem, FIXED, IMPORTED, NOWHERE]))
    assert log["version"] == "2.1.0"
    assert_shape(log, "log")


@pytest.mark.parametrize("form", FORMATS)
def test_a_format_says_something_sensible_about_nothing(form: str) -> None:
    text = importlib.import_module(f"edgescript.text.formats.{form}").render([])
    assert text == "" or json.loads(text) is not None
