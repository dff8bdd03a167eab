"""Each file of the corpus converts to the text and the report that stand beside it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from edgescript.convert.caddy.convert import convert
from edgescript.convert.report import Conversion, Outcome
from edgescript.text.source import Source

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.Caddyfile"))
GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "from-caddy-converted.md"
#: `UPDATE=1` writes what is expected anew; read the difference before it is committed.
_UPDATE = os.environ.get("UPDATE") == "1"


def no_file(name: str) -> bytes:
    raise FileNotFoundError(2, "no such file", name)


def _converted(file: Path) -> Conversion:
    return convert(Source(file.name, file.read_text()), read=no_file, find=lambda pattern: [])


def _report(conversion: Conversion) -> str:
    lines = [f"{one.place}: {one.outcome}: {one.written}" for one in conversion.report.remarks]
    reasons = [f"    {one.reason}\n" if one.reason else "" for one in conversion.report.remarks]
    return "".join(f"{line}\n{reason}" for line, reason in zip(lines, reasons, strict=True))


def _same_as(file: Path, text: str) -> bool:
    if _UPDATE:
        file.write_text(text)
    return file.read_text() == text


def test_a_file_converts_to_what_stands_beside_it(caddyfile: Path) -> None:
    conversion = _converted(caddyfile)
    assert _same_as(caddyfile.with_suffix(".edge"), conversion.text)
    assert _same_as(caddyfile.with_suffix(".report"), _report(conversion))


def test_what_a_file_converts_to_has_no_errors(caddyfile: Path, errors_of: Callable[[str], list[str]]) -> None:
    assert errors_of(_converted(caddyfile).text) == []


def test_what_is_not_converted_stays_as_a_comment(caddyfile: Path) -> None:
    conversion = _converted(caddyfile)
    said = " ".join(conversion.text.replace("#", " ").split())
    for remark in conversion.report.remarks:
        if remark.outcome in (Outcome.NOT, Outcome.NOT_YET):
            assert " ".join(remark.written.replace("#", " ").split()) in said


def test_every_comment_is_kept(caddyfile: Path) -> None:
    text = _converted(caddyfile).text
    for line in caddyfile.read_text().splitlines():
        if line.strip().startswith("# "):
            assert line.strip() in text


def _figures() -> str:
    """The table of the guide: files by how they converted, and directives."""
    conversions = [_converted(file) for file in CORPUS]
    outcomes = [remark.outcome for one in conversions for remark in one.report.remarks]
    fully = sum(one.report.is_complete for one in conversions)
    only_https = sum(
        not one.report.is_complete and all("no HTTPS yet" in remark.reason for remark in one.report.open())
        for one in conversions
    )
    none = sum(
        all(remark.outcome in (Outcome.NOT, Outcome.NOT_YET) for remark in one.report.remarks) for one in conversions
    )
    rows = [
        ("configurations", len(conversions)),
        ("converted fully", fully),
        ("converted but for HTTPS, which is not there yet", only_https),
        ("converted partly", len(conversions) - fully - only_https - none),
        ("not converted", none),
        ("directives, matchers and options", len(outcomes)),
        *((f"of them {outcome}", outcomes.count(outcome)) for outcome in Outcome),
    ]
    return "".join(["| | |\n| --- | ---: |\n", *(f"| {name} | {count} |\n" for name, count in rows)])


def test_the_figures_in_the_guide_are_true() -> None:
    before, begin, rest = GUIDE.read_text().partition("<!-- figures -->\n")
    _, end, after = rest.partition("<!-- end of figures -->")
    assert begin
    assert end
    assert _same_as(GUIDE, f"{before}{begin}{_figures()}{end}{after}")


def test_there_are_at_least_sixty_configurations() -> None:
    assert len(CORPUS) >= 60
    assert len({file.read_text() for file in CORPUS}) == len(CORPUS)
