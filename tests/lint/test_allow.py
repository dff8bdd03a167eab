"""`# edge: allow W…`: where it holds, and that it hides nothing else."""

from __future__ import annotations

import pytest

from edgescript.text.problem import Problem
from tests.lint.conftest import Lint

MISTYPED = "header X-Frame-Option DENY"


@pytest.mark.parametrize(
    "text",
    [
        f":80 {{\n    {MISTYPED} # edge: allow W313\n    files .\n}}\n",
        f":80 {{\n    # edge: allow W313: an old client wants it\n    {MISTYPED}\n    files .\n}}\n",
        f":80 {{\n    # edge: allow W313\n    # It is old.\n    {MISTYPED}\n    files .\n}}\n",
        f":80 {{ # edge: allow W313 - old\n    {MISTYPED}\n    files .\n}}\n",
        f"# edge: allow W313\n:80 {{\n    {MISTYPED}\n    files .\n}}\n",
        f"\n\n#edge:allow W313\n\n:81 {{\n    files .\n}}\n:80 {{\n    {MISTYPED}\n    files .\n}}\n",
    ],
)
def test_what_is_allowed_is_not_said(text: str, warnings: Lint) -> None:
    assert warnings(text) == []


@pytest.mark.parametrize("between", [" ", ", ", ",", "  "])
def test_several_codes_stand_behind_each_other(between: str, warnings: Lint) -> None:
    text = (
        f":80 {{\n    respond /x 200\n    # edge: allow W301{between}W304\n    route {{\n        files .\n    }}\n}}\n"
    )
    assert [problem.message for problem in warnings(text)] == [
        "nothing here gives W301, so that nothing is allowed by this",
        "nothing here gives W304, so that nothing is allowed by this",
    ]


def test_it_holds_for_its_line_alone(warnings: Lint) -> None:
    text = f":80 {{\n    {MISTYPED} # edge: allow W313\n    {MISTYPED.replace('DENY', 'x')}\n    files .\n}}\n"
    assert [(problem.code, str(problem.span)) for problem in warnings(text)] == [("W313", "Edgefile:3:12")]


def test_warnings_of_the_graph_are_allowed_too(warnings: Lint) -> None:
    shadowed = (
        "    handle /a/* {\n        files .\n    }\n    # edge: allow W201\n    handle /a/b {\n        files .\n    }\n"
    )
    assert warnings(f":80 {{\n{shadowed}}}\n") == []


def test_it_works_in_an_imported_file_and_at_its_import(warnings: Lint) -> None:
    main = ":80 {\n    import b.edge\n    files .\n}\n"
    assert [problem.code for problem in warnings(main, {"b.edge": f"{MISTYPED}\n"})] == ["W313"]
    assert warnings(main, {"b.edge": f"{MISTYPED} # edge: allow W313\n"}) == []
    assert warnings(main.replace("b.edge", "b.edge # edge: allow W313"), {"b.edge": f"{MISTYPED}\n"}) == []


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("# edge: allow E101", "E101 is an error, and errors cannot be allowed"),
        ("# edge: allow W999", 'there is no warning "W999" to allow'),
        ("# edge: allow everything", 'there is no warning "everything" to allow'),
        ("# edge: allow W301", "nothing here gives W301, so that nothing is allowed by this"),
        ("# edge: allow", "this comment for the program does not say what is allowed"),
        ("# edge: ignore W301", "this comment for the program does not say what is allowed"),
    ],
)
def test_a_comment_that_allows_nothing_is_a_warning(comment: str, message: str, warnings: Lint) -> None:
    (problem,) = warnings(f":80 {{\n    files . {comment}\n}}\n")
    assert (problem.code, problem.message) == ("W300", message)


def test_errors_are_not_allowed(warnings: Lint) -> None:
    text = ":80 {\n    respnd 200 # edge: allow E101\n    files .\n}\n"
    assert [problem.code for problem in warnings(text)] == ["E101", "W300"]


def test_a_comment_that_only_speaks_of_edge_is_none(warnings: Lint) -> None:
    assert (
        warnings("# The edge: allow W301 is explained elsewhere.\n:80 {\n    files . # see edge: it is near\n}\n") == []
    )


def lines_of(code: str, problems: list[Problem]) -> list[int]:
    spans = [problem.span for problem in problems if problem.code == code]
    return [span.source.position(span.start)[0] for span in spans if span is not None]


def test_it_holds_for_its_own_line_and_not_for_the_same_line_elsewhere(warnings: Lint) -> None:
    text = f":80 {{\n    {MISTYPED} # edge: allow W313\n    files .\n}}\n:81 {{\n    {MISTYPED}\n    files .\n}}\n"
    assert lines_of("W313", warnings(text)) == [6]


def test_comments_inside_each_others_blocks_hold_all(warnings: Lint) -> None:
    text = (
        f"\n:79 {{\n    files .\n}}\n# edge: allow W304\n:80 {{\n    {MISTYPED} # edge: allow W313\n    {MISTYPED}\n"
        f"    files .\n}}\n:81 {{\n    header X-A b\n    header X-A b\n    files .\n}}\n"
    )
    problems = warnings(text)
    assert lines_of("W313", problems) == [8]
    assert lines_of("W304", problems) == [13]
    assert lines_of("W300", problems) == []
