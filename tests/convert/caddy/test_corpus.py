"""Each file of the corpus converts to the text and the report that stand beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from edgescript.convert.caddy.convert import convert
from edgescript.convert.report import Conversion, Outcome
from edgescript.text.source import Source

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.Caddyfile"))


def no_file(name: str) -> bytes:
    raise FileNotFoundError(2, "no such file", name)


def _converted(file: Path) -> Conversion:
    return convert(Source(file.name, file.read_text()), read=no_file, find=lambda pattern: [])


def _report(conversion: Conversion) -> str:
    lines = [f"{one.place}: {one.outcome}: {one.written}" for one in conversion.report.remarks]
    reasons = [f"    {one.reason}\n" if one.reason else "" for one in conversion.report.remarks]
    return "".join(f"{line}\n{reason}" for line, reason in zip(lines, reasons, strict=True))


def test_a_file_converts_to_what_stands_beside_it(caddyfile: Path, golden: Callable[[Path, str], None]) -> None:
    conversion = _converted(caddyfile)
    golden(caddyfile.with_suffix(".edge"), conversion.text)
    golden(caddyfile.with_suffix(".report"), _report(conversion))


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


def test_the_figures_in_the_guide_are_true(figures_stand_in: Callable[[str, Sequence[Conversion]], None]) -> None:
    figures_stand_in("from-caddy-converted.md", [_converted(file) for file in CORPUS])


def test_there_are_at_least_sixty_configurations() -> None:
    assert len(CORPUS) >= 60
    assert len({file.read_text() for file in CORPUS}) == len(CORPUS)
