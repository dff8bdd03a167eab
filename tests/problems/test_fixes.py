"""Whatever offers a fix is mended by it."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgescript.text.mend import applied, compatible
from edgescript.text.pages import codes, page
from edgescript.text.problem import Edit, Fix, Problem
from edgescript.text.source import Source, Span

Find = Callable[[str], list[Problem]]

ROOT = Path(__file__).parents[2]


def samples() -> Iterator[tuple[str, str]]:
    for path in sorted(ROOT.glob("tests/problems/*.edge")) + sorted(ROOT.glob("tests/language/*.edge")):
        yield path.stem, path.read_bytes().decode("utf-8", "surrogateescape")
    for path in sorted(ROOT.glob("grammar/mistakes/*.toml")):
        yield path.stem, tomllib.loads(path.read_text("utf-8"))["sample"]
    for code in codes():
        found = page(code)
        if found is not None and found.wrong is not None:
            yield code, found.wrong


SAMPLES = dict(samples())


def main_fixes(problems: list[Problem]) -> list[Problem]:
    """Those with a fix of the file itself."""
    return [
        problem
        for problem in problems
        if problem.fix is not None and all(edit.span.source.name == "Edgefile" for edit in problem.fix.edits)
    ]


def same(problem: Problem) -> tuple[str, str]:
    return problem.code, problem.message


@pytest.mark.parametrize("name", SAMPLES)
def test_a_fix_mends_its_problem(name: str, find: Find) -> None:
    """Each alone: what was said at that place is said once less often afterwards, or of less."""
    before = find(SAMPLES[name])
    for problem in main_fixes(before):
        assert problem.fix is not None
        (text,) = applied([problem.fix]).values()
        after = find(text)
        count = Counter(map(same, after))[same(problem)]
        fewer_places = problem.code in ("E012", "E001")  # of which only the first few are told
        assert count < Counter(map(same, before))[same(problem)] or fewer_places, text


@pytest.mark.parametrize("name", SAMPLES)
def test_a_safe_fix_adds_no_error(name: str, find: Find) -> None:
    before = find(SAMPLES[name])
    for problem in main_fixes(before):
        if problem.fix is not None and problem.fix.safe:
            (text,) = applied([problem.fix]).values()
            assert len(find(text)) <= len(before), text


@pytest.mark.parametrize("name", SAMPLES)
def test_a_fix_stands_where_the_file_says_what_is_wrong(name: str, find: Find) -> None:
    """Its edits lie in the text, in order and apart from each other; what is replaced is the word that is told."""
    for problem in main_fixes(find(SAMPLES[name])):
        assert problem.fix is not None
        spans = sorted((edit.span.start, edit.span.end) for edit in problem.fix.edits)
        assert all(0 <= start <= end <= len(SAMPLES[name]) for start, end in spans)
        assert all(end <= start for (_, end), (start, _) in pairwise(spans))


@pytest.mark.parametrize("name", SAMPLES)
def test_the_text_of_a_span_is_what_the_message_claims(name: str, find: Find) -> None:
    """An unknown name is underlined, in quotes or without, and nothing else."""
    for problem in find(SAMPLES[name]):
        if problem.code in ("E101", "E102", "E103", "E105", "E117") and problem.span is not None:
            start, end = problem.span[1:3]
            said = re.findall('"([^"]+)"', problem.message)[-1]
            assert problem.span.source.text[start:end].strip('"`') == said
        if problem.code in ("E003", "E005") and problem.span is not None:
            assert problem.span.source.text[problem.span.start] == "{"
        if problem.code == "E015" and problem.span is not None:
            assert problem.span.source.text[problem.span.start] in '}"`'


def test_most_kinds_of_problems_offer_a_fix(find: Find) -> None:
    fixable = {problem.code for text in SAMPLES.values() for problem in find(text) if problem.fix is not None}
    assert fixable >= {
        "E001", "E002", "E003", "E004", "E005", "E008", "E012", "E015", "E017", "E101", "E102", "E103", "E104", "E105", "E106",
        "E108", "E110", "E111", "E113", "E114", "E115", "E117", "E203", "W102",
    }  # fmt: skip


def test_what_came_out_of_an_argument_has_no_fix(find: Find) -> None:
    text = "(via) {\n    proxy localhost:3000 {\n        via {args.0}\n    }\n}\n:80 {\n    import via true\n}\n"
    (problem,) = find(text)
    assert problem.hint == 'did you mean "on"?'
    assert problem.fix is None


def test_a_fix_replaces_a_word_with_its_quotes(find: Find) -> None:
    text = ':80 {\n    "proxxy" localhost:3000\n}\n'
    (problem,) = find(text)
    assert problem.fix is not None
    assert applied([problem.fix]) == {problem.fix.edits[0].span.source: ":80 {\n    proxy localhost:3000\n}\n"}


def test_of_fixes_that_touch_the_first_is_taken() -> None:
    source = Source("Edgefile", "abcdef")

    def fixing(start: int, end: int, text: str) -> Problem:
        return Problem("E101", "wrong", None, fix=Fix("do", (Edit(Span(source, start, end), text),)))

    first, touching, apart = fixing(0, 2, "x"), fixing(2, 3, "y"), fixing(4, 5, "z")
    chosen = compatible([first, touching, apart])
    assert chosen == [first, apart]
    assert applied(problem.fix for problem in chosen if problem.fix is not None) == {source: "xcdzf"}


@st.composite
def mutated(draw: Any) -> str:
    """A sample of which something was lost, doubled or changed."""
    text = SAMPLES[draw(st.sampled_from(sorted(SAMPLES)))]
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 30)))
    pieces = ["", text[start:end] * 2, "{", "}", '"', "`", "\n", "\\", ";", "$uri", "{x}", " { ", " }", "\u00a0"]
    return text[:start] + draw(st.sampled_from(pieces)) + text[end:]


@settings(deadline=None, max_examples=300)
@given(text=mutated())
def test_whatever_is_wrong_its_fixes_can_be_carried_out(text: str, find: Find) -> None:
    problems = main_fixes(find(text))
    for edited in applied(problem.fix for problem in compatible(problems) if problem.fix is not None).values():
        find(edited)
    for problem in problems:
        assert problem.fix is not None
        for edit in problem.fix.edits:
            assert 0 <= edit.span.start <= edit.span.end <= len(text)
            # A word that is renamed is a whole word.
            if problem.code in ("E101", "E102", "E103", "E105", "E117") and edit.text.isidentifier():
                assert edit.span.start == 0 or not text[edit.span.start - 1].isalnum()


def safely_mended(find: Find, text: str) -> str:
    """The text after its safe fixes, carried out once."""
    safe = [problem for problem in find(text) if problem.fix is not None and problem.fix.safe]
    return next(iter(applied(problem.fix for problem in compatible(safe) if problem.fix is not None).values()), text)


def test_carriage_returns_between_lines_become_line_feeds_however_many_there_are(find: Find) -> None:
    text = "http://a.example {\r\r    header X-A b\r\r    respond /q 200\r}\r"
    assert safely_mended(find, text) == text.replace("\r", "\n")


def test_a_form_feed_between_words_still_separates_them(find: Find) -> None:
    assert safely_mended(find, ":80 {\n    respond\x0c200\n}\n") == ":80 {\n    respond 200\n}\n"


def test_a_line_that_begins_inside_a_text_is_not_spread_out(find: Find) -> None:
    """Its spaces belong to the text."""
    text = ":80 {\n    respond /x `one\n  a    b` { close on }\n    files\n}\n"
    assert [problem.code for problem in find(text)][:1] == ["E005"]
    assert "  a    b`" in safely_mended(find, text)


def test_a_block_below_an_import_is_the_global_one_and_not_given_to_the_import(find: Find) -> None:
    text = "import snippets.edge\n{\n    trusted_proxies 10.0.0.0/8\n}\n:80 {\n    respond 200\n}\n"
    assert [problem.code for problem in find(text)] == ["E008"]  # there is no such file here
    assert safely_mended(find, text) == text


def test_a_brace_is_not_given_to_an_import_unasked(find: Find) -> None:
    """What is imported may have no use for a block, and nothing would tell that it is gone."""
    text = "(a) {\n    header X-A b\n}\n:80 {\n    import a\n    {\n        header X-C d\n    }\n    respond 200\n}\n"
    assert [problem.code for problem in find(text)] == ["E005"]
    assert safely_mended(find, text) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (":80 {\n    header X-A: b\n    files .\n}\n", "without the colon"),
        (":80 {\n    import cors\n    files .\n}\n", "std/cors"),
        ("/ {\n    files .\n}\n", "name the site `:80`"),
        (":80 {\n    proxy 127.0.0.1 3000\n}\n", "`:3000`"),
    ],
)
def test_what_newcomers_write_is_answered_with_what_to_write(text: str, said: str, find: Find) -> None:
    (problem,) = find(text)
    assert said in f"{problem.message} {problem.hint}"
