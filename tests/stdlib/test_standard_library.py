"""Every snippet of the standard library: documented, with an example whose tests hold."""

from __future__ import annotations

import re

import pytest

from edgescript.catalog import Catalogue
from edgescript.language.files import standard_example, standard_file, standard_names
from edgescript.language.format import format_tree
from edgescript.language.parse import parse
from edgescript.language.standard import standard_snippet
from edgescript.testing.check import check
from edgescript.text.source import Source

NAMES = standard_names()
#: What users expect to find.
PROMISED = [
    "security-headers",
    "cors",
    "spa",
    "wordpress",
    "static-site",
    "api-gateway",
    "websocket",
    "cache-static",
    "maintenance",
    "bot-block",
    "redirect-www",
    "healthcheck",
]


def test_what_was_promised_is_there() -> None:
    assert [name for name in PROMISED if name not in NAMES] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_tests_of_the_example_hold(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = standard_example(name)
    monkeypatch.chdir(file.parent)
    report = check(
        Source(str(file), file.read_text()), catalogue=Catalogue.load(), environment={}, directory=str(file.parent)
    )
    assert str(report) == ""
    assert report.results
    assert f"import std/{name}" in file.read_text()


def test_cors_lets_nobody_in_when_no_origin_is_given() -> None:
    source = Source("Edgefile", ":80 {\n import std/cors methods=GET\n respond 200\n}\n")
    report = check(source, catalogue=Catalogue.load(), environment={}, directory=".")
    assert "E011" in {problem.code for problem in report.problems}


@pytest.mark.parametrize("name", NAMES)
def test_the_head_comment_documents_the_arguments_that_are_used(name: str) -> None:
    snippet = standard_snippet(name)
    text = standard_file(name).read_text()
    used = set(re.findall(r"\{args\.([a-z_]+)", text))
    assert {argument.name for argument in snippet.arguments if argument.is_named} == used
    numbers = [int(number) for number in re.findall(r"\{args\.(\d+)", text)]
    words = [argument.name for argument in snippet.arguments if not argument.is_named]
    assert len(words) == (1 if "{args[:]}" in text else max(numbers, default=-1) + 1)
    assert snippet.summary.endswith(".")
    assert all(name.isupper() or name[:-1].isupper() for name in words)


@pytest.mark.parametrize("name", NAMES)
def test_snippet_and_example_have_the_one_shape_of_edge_fmt(name: str) -> None:
    for file in (standard_file(name), standard_example(name)):
        text = file.read_text()
        assert format_tree(parse(Source(str(file), text))[0]) == text
