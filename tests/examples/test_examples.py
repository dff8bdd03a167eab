"""Every Edgefile under `examples/` is valid, and its tests hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edgescript.catalog import Catalogue
from edgescript.language.format import format_tree
from edgescript.language.parse import parse
from edgescript.testing.check import check
from edgescript.testing.examples import examples
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


def test_every_example_has_the_one_shape_of_edge_fmt() -> None:
    repository = Path(__file__).parents[2]
    texts = {str(file): file.read_text() for file in [*EXAMPLES, *(repository / "stdlib").glob("*.edge")]}
    texts |= {example.name: example.text for example in examples(Catalogue.load())}
    texts["README.md"] = _tour((repository / "README.md").read_text())
    crooked = [name for name, text in texts.items() if format_tree(parse(Source(name, text))[0]) != text]
    assert crooked == []


def test_the_tour_in_the_readme_is_an_edgefile_whose_tests_hold(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    report = check(
        Source("README.md", _tour(readme)), catalogue=Catalogue.load(), environment={}, directory=str(tmp_path)
    )
    assert str(report) == ""
    assert report.results


def _tour(readme: str) -> str:
    (text,) = re.findall(r"^```edgefile\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    return str(text)
