"""
Configurations after the patterns of nginx's public documentation: what each comes to, and how many come out whole.

`corpus/NAME.conf` has `NAME.edge` beside it, and `NAME.report`, which says what became of each directive. With
UPDATE_GOLDEN=1 in the environment they are written instead of compared; read the difference afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from edgescript.catalog import Catalogue
from edgescript.convert.nginx.convert import convert, looks_like
from edgescript.convert.report import Conversion, Outcome
from edgescript.graph.load import analyse
from edgescript.text.problem import Severity
from edgescript.text.source import Source

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(path.stem for path in CORPUS.glob("*.conf"))
_CATALOGUE = Catalogue.load()


def converted(name: str) -> Conversion:
    source = Source(f"{name}.conf", (CORPUS / f"{name}.conf").read_text())
    return convert(source, read=lambda path: (CORPUS / path).read_bytes(), find=lambda _: [])


def report_of(conversion: Conversion) -> str:
    lines = []
    for one in conversion.report.remarks:
        reason = f"  ({one.reason})" if one.reason else ""
        lines.append(f"{one.outcome!s:13}  {one.place}  {one.written}{reason}\n")
    return "".join(lines)


@pytest.mark.parametrize("name", FILES)
def test_a_file_comes_to_its_edgefile_and_report(name: str, golden: Callable[[Path, str], None]) -> None:
    conversion = converted(name)
    golden(CORPUS / f"{name}.edge", conversion.text)
    golden(CORPUS / f"{name}.report", report_of(conversion))


@pytest.mark.parametrize("name", FILES)
def test_what_a_file_comes_to_is_valid(name: str) -> None:
    found = analyse(Source("Edgefile", converted(name).text), catalogue=_CATALOGUE, environment={})
    assert [problem.message for problem in found.problems if problem.severity is Severity.ERROR] == []


@pytest.mark.parametrize("name", FILES)
def test_each_directive_that_is_not_converted_stands_as_a_comment(name: str) -> None:
    conversion = converted(name)
    comments = "\n".join(line for line in conversion.text.splitlines() if "#" in line)
    whole = " ".join(comments.split())
    for one in conversion.report.remarks:
        if one.outcome in (Outcome.NOT, Outcome.NOT_YET):
            first = re.sub(r"\s*(\{ … \}|;)$", "", one.written)
            assert first.replace("( ", "(") in whole or first.replace('"', "") in whole.replace('"', ""), one


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_known_to_be_of_nginx(name: str) -> None:
    assert looks_like(Source(name, (CORPUS / f"{name}.conf").read_text()))


def test_there_are_at_least_sixty_files_each_naming_its_page() -> None:
    assert len(FILES) >= 60
    for name in FILES:
        assert re.match(r"# After the pattern of: \S", (CORPUS / f"{name}.conf").read_text()), name


def test_the_figures_in_the_guide_are_true(figures_stand_in: Callable[[str, Sequence[Conversion]], None]) -> None:
    figures_stand_in("from-nginx-converted.md", [converted(name) for name in FILES])
