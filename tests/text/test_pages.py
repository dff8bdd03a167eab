"""Every code has a page, and what a page shows is so."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

import edgescript
from edgescript.catalog import Catalogue
from edgescript.graph.load import analyse, set_up
from edgescript.lint.run import lint
from edgescript.text.pages import codes, page
from edgescript.text.source import Source

PACKAGE = Path(edgescript.__file__).parent

#: Codes that no file alone can show, and why.
WITHOUT_EXAMPLE = {
    "E013": "a page cannot hold bytes that are no text",
    "E014": "it would fill pages",
    "E205": "it depends on the machine",
    "E206": "it depends on files beside",
    "W305": "no directive of this version needs another one around it",
    "W101": "it needs a broken plug-in",
}


def _codes_of(text: str, folder: Path) -> set[str]:
    """The codes of everything that is wrong with a file that stands alone, with no environment variable set."""

    def read(name: str) -> bytes:
        raise FileNotFoundError(2, "No such file or directory", name)

    catalogue = Catalogue.load()
    found = analyse(Source("Edgefile", text), catalogue=catalogue, environment={}, read=read)
    _, problems = set_up(found, directory=str(folder), clock=time.monotonic)
    return {problem.code for problem in [*problems, *lint(found, catalogue)]}


def test_every_code_in_the_source_has_its_page_and_every_page_its_code() -> None:
    text = "\n".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    assert set(re.findall(r'"([EW][0-9]{3})"', text)) == set(codes())


@pytest.mark.parametrize("code", codes())
def test_a_page_has_a_title_and_says_what_to_do(code: str) -> None:
    found = page(code)
    assert found is not None
    assert re.fullmatch(r"[^A-Z].{8,90}[^.]", found.title)
    assert len(found.body.partition("```")[0]) > 80
    assert all(len(line) <= 132 for line in found.body.splitlines())


@pytest.mark.parametrize("code", [code for code in codes() if code not in WITHOUT_EXAMPLE])
def test_the_wrong_example_has_exactly_this_problem_and_the_right_one_none(code: str, tmp_path: Path) -> None:
    found = page(code)
    assert found is not None
    assert found.wrong is not None
    assert found.right is not None
    assert _codes_of(found.wrong, tmp_path) == {code}
    assert _codes_of(found.right, tmp_path) == set()


@pytest.mark.parametrize("code", WITHOUT_EXAMPLE)
def test_a_page_without_an_example_says_so(code: str) -> None:
    found = page(code)
    assert found is not None
    assert found.wrong is None
    assert "There is no example" in found.body


@pytest.mark.parametrize("code", ["", "E999", "e012", "../codes/E012", "E012.md", "E01२"])
def test_what_is_no_code_has_no_page(code: str) -> None:
    assert page(code) is None
