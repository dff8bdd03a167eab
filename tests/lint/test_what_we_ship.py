"""What we give out as good is free of warnings: examples, the standard library, and every example in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edgescript.catalog import Catalogue
from edgescript.graph.load import analyse
from edgescript.language.files import read_file
from edgescript.lint.run import lint
from edgescript.testing.examples import examples
from edgescript.text.source import Source

ROOT = Path(__file__).parents[2]
CATALOGUE = Catalogue.load()
DOCUMENTED = [
    (f"{path.relative_to(ROOT)}:{number}", found[1])
    for path in [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
    if "problems" not in str(path)
    for number, found in enumerate(
        re.finditer(r"^```edge(?:file)?\n(.*?)^```$", path.read_text("utf-8"), re.M | re.S), 1
    )
]


def problems(text: str, name: str = "Edgefile") -> list[str]:
    found = analyse(Source(name, text), catalogue=CATALOGUE, environment={}, read=read_file)
    return [
        f"{problem.span}: {problem.code} {problem.message}" for problem in [*found.problems, *lint(found, CATALOGUE)]
    ]


@pytest.mark.parametrize("file", sorted(ROOT.glob("examples/*/Edgefile")), ids=lambda file: file.parent.name)
def test_examples(file: Path) -> None:
    assert problems(file.read_text("utf-8"), str(file)) == []


@pytest.mark.parametrize("file", sorted(ROOT.glob("stdlib/*.edge")), ids=lambda file: file.stem)
def test_the_standard_library(file: Path) -> None:
    text = f":80 {{\n    import std/{file.stem} a b c d\n    files .\n}}\n"
    warnings = [each for each in problems(text) if ": W" in each]
    assert warnings == []


@pytest.mark.parametrize("example", list(examples(CATALOGUE)), ids=lambda example: example.name)
def test_examples_of_entries(example: object) -> None:
    text: str = example.text  # type: ignore[attr-defined]
    assert problems(text) == []


@pytest.mark.parametrize(("name", "text"), DOCUMENTED, ids=[name for name, _ in DOCUMENTED])
def test_examples_in_the_documentation(name: str, text: str) -> None:
    """Those that are whole files: an excerpt has errors, and then only what is certain is said."""
    assert [each for each in problems(text) if ": W" in each] == []
