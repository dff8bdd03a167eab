from __future__ import annotations

from collections.abc import Callable

from edgescript.language import parse as parsing
from edgescript.language.lexer import MAX_DEPTH
from edgescript.language.parse import parse
from edgescript.language.tree import Line
from edgescript.text.problem import Problem
from edgescript.text.source import Source

Told = Callable[[list[Problem]], list[str]]


def test_blocks_nested_too_deep_are_one_problem() -> None:
    depth = 10_000
    tree, problems = parse(Source("Edgefile", "a {\n" * depth + "}\n" * depth))
    assert [problem.code for problem in problems] == ["E014"]
    assert _depth(tree.lines) == MAX_DEPTH


def _depth(lines: list[Line]) -> int:
    return max((1 + _depth(line.block) for line in lines if line.block is not None), default=0)


def test_as_many_blocks_as_are_allowed_are_no_problem() -> None:
    _, problems = parse(Source("Edgefile", "a {\n" * MAX_DEPTH + "}\n" * MAX_DEPTH))
    assert not problems


def test_a_file_that_is_too_large_is_one_problem() -> None:
    _, problems = parse(Source("Edgefile", "a" * (parsing.MAX_SIZE + 1)))
    assert [problem.code for problem in problems] == ["E014"]


def test_many_heredocs_and_quotes_without_end_are_read_in_one_go(told: Told) -> None:
    for line in ("<<A\n", "<<A{0}\n", '"\n', "`\n", "a {{\n", "}}\n"):
        text = "".join(line.format(number) for number in range(20_000))
        parse(Source("Edgefile", text))


def test_every_problem_of_a_file_is_told(told: Told) -> None:
    text = 'a.example {\n header "x\n log "\\q"\n}\n}\nb.example {\n c {}\n'
    assert told(parse(Source("Edgefile", text))[1]) == [
        'E002 2:9 the text that " begins here does not end',
        'E012 3:7 "\\q" means nothing between double quotes',
        'E004 5:1 this "}" closes no block',
        'E003 6:11 the block of "b.example" is not closed',
        'E005 7:4 a "{" opens a block only as the last word of its line',
    ]


def test_braces_after_braces_in_one_line_take_no_more_than_the_line() -> None:
    """Each block in lines of its own would be indented further than the one around it."""
    _, problems = parse(Source("Edgefile", "{ " * 20_000))
    written = [edit.text for problem in problems if problem.fix is not None for edit in problem.fix.edits]
    assert sum(map(len, written)) < 10_000


def test_blocks_too_deep_and_never_closed_are_one_problem() -> None:
    _, problems = parse(Source("Edgefile", "a {\n" * 1000))
    assert [problem.code for problem in problems] == ["E014"]


def test_problems_of_a_text_that_is_no_edgefile_are_noted_up_to_a_bound() -> None:
    _, problems = parse(Source("Edgefile", "a {\n" + '"' * 60_000 + "\n}\n"))
    assert 1000 < len(problems) <= 10_002
