"""The line about the admin address: what it may say, and that nothing shows its token."""

from __future__ import annotations

import json

import pytest

from edgescript.catalog import Catalogue
from edgescript.graph.adapt import adapt
from edgescript.graph.load import Analysis, analyse, set_up
from edgescript.lint.run import lint
from edgescript.plan.compare import plan
from edgescript.plan.render import as_text as plan_as_text
from edgescript.settings.admin import Admin, Place, is_loopback
from edgescript.text.problem import Problem
from edgescript.text.render import as_text
from edgescript.text.source import Source

TOKEN = "0123456789abcdef-token"
CATALOGUE = Catalogue.load()


def found(line: str, **environment: str) -> Analysis:
    text = f"{{\n    {line}\n}}\n:8080 {{\n    respond 200\n}}\n"
    return analyse(Source("Edgefile", text), catalogue=CATALOGUE, environment=environment)


def errors(line: str) -> list[Problem]:
    return [problem for problem in found(line).problems if problem.code.startswith("E")]


def setting(line: str, **environment: str) -> Admin:
    analysis = found(line, **environment)
    assert analysis.bound is not None
    assert not [problem for problem in analysis.problems if problem.code.startswith("E")], analysis.problems
    made: Admin = analysis.bound.settings[Admin]
    return made


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("admin off", None),
        ("admin localhost:3000", Place("localhost", 3000)),
        ("admin 127.0.0.1", Place("127.0.0.1", 2019)),
        ("admin [::1]:2019", Place("::1", 2019)),
        ("admin unix//run/edge.sock", Place("/run/edge.sock", None)),
        (f"admin :2020 {{\ntoken {TOKEN}\n}}", Place("", 2020)),
        ("admin {\norigins https://a.example http://localhost:3000\n}", Place("127.0.0.1", 2019)),
        ("grace_period 1s", Place("127.0.0.1", 2019)),
    ],
)
def test_it_says_where(line: str, place: Place | None) -> None:
    assert setting(line).place == place


@pytest.mark.parametrize(
    "line",
    [
        "admin :2019",
        "admin 0.0.0.0:2019",
        "admin 10.0.0.1:2019",
        "admin edge.internal:2019",
        "admin https://localhost:2019",
        "admin *.example.com:1",
        "admin localhost:0",
        "admin unix/x",
        "admin {\ntoken short\n}",
        'admin {\ntoken "with blanks in it is no token"\n}',
        "admin {\norigins ops.example\n}",
        "admin {\norigins https://ops.example/path\n}",
        "admin {\norigins null\n}",
        "admin unix//x {\nusers joe\n}",
    ],
)
def test_what_makes_no_sense_or_is_open_to_everybody_is_refused(line: str) -> None:
    assert errors(line)


@pytest.mark.parametrize(("host", "loopback"), [("localhost", True), ("127.8.8.8", True), ("::1", True), ("", False)])
def test_loopback_is_what_no_other_machine_reaches(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_the_token_comes_from_the_environment() -> None:
    made = setting("admin :1 {\ntoken {$EDGE_ADMIN_TOKEN}\n}", EDGE_ADMIN_TOKEN=TOKEN)
    assert made.token.value == TOKEN
    assert TOKEN not in repr(made)


def test_nothing_shows_the_token() -> None:
    analysis = found(f"admin :1 {{\n        token {TOKEN}\n    }}")
    graph, _ = set_up(analysis, directory=".", clock=lambda: 0.0)
    assert graph is not None
    assert TOKEN not in json.dumps(adapt(graph))
    assert TOKEN not in repr(graph.settings)
    warned = as_text(lint(analysis, CATALOGUE))
    assert "W314" in warned
    assert TOKEN not in warned
    wrong = f"{TOKEN}!"
    assert wrong not in as_text(found(f"admin :1 {{\n        token {wrong}\n    }}").problems)


def test_a_plan_tells_that_the_token_changes_and_not_to_what() -> None:
    before, after = (found(f"admin :1 {{\ntoken {TOKEN}{number}\n}}") for number in (1, 2))
    said = plan_as_text(plan(before, after))
    assert "token" in said
    assert TOKEN not in said
