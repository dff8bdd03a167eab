"""Fixes as an editor gets them: the same changes as `edge validate --fix` makes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from lsprotocol import types

from edgescript.graph.load import analyse
from edgescript.lint.run import lint
from edgescript.lsp.document import View
from edgescript.lsp.features import actions
from edgescript.testing.scenario import read_tests
from edgescript.text.mend import applied, compatible
from edgescript.text.pages import codes, page
from edgescript.text.problem import Problem, in_order
from tests.lsp.marks import CATALOGUE, URI, edited, viewed, with_problems

ROOT = Path(__file__).parents[2]
SAMPLES = {path.stem: path for path in sorted(ROOT.glob("tests/problems/*.edge"))}


def sample(name: str) -> str:
    return SAMPLES[name].read_bytes().decode("utf-8", "surrogateescape")


def _nothing(name: str) -> bytes:
    raise FileNotFoundError(2, "No such file or directory", name)


def examined(text: str) -> View:
    """A view with the problems of its text, the linter's included."""
    view = viewed(text)
    found = analyse(view.document.source, catalogue=CATALOGUE, environment={}, read=_nothing)
    return with_problems(view, in_order([*found.problems, *read_tests(found.file.tests)[1], *lint(found, CATALOGUE)]))


def offered(
    view: View, where: types.Range, only: Sequence[str] | None = None, diagnostics: Sequence[types.Diagnostic] = ()
) -> list[types.CodeAction]:
    context = types.CodeActionContext(diagnostics, only)
    return actions.answer(view, types.CodeActionParams(types.TextDocumentIdentifier(URI), where, context))


def range_of(view: View, problem: Problem) -> types.Range:
    assert problem.span is not None
    return view.document.positions.range(problem.span.start, problem.span.end)


def after(view: View, action: types.CodeAction) -> str:
    assert action.edit is not None
    assert action.edit.changes is not None
    assert set(action.edit.changes) == {URI}
    return edited(view.document.text, action.edit.changes[URI], view)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_fix_is_an_action_that_does_the_same(name: str) -> None:
    view = examined(sample(name))
    for problem in view.problems:
        if problem.fix is not None:
            where = range_of(view, problem)
            shown = types.Diagnostic(where, problem.message, code=problem.code)
            other = types.Diagnostic(where, problem.message, code="E999")
            fitting = [
                action
                for action in offered(view, where, ["quickfix"], [shown, other])
                if (action.title, after(view, action)) == (problem.fix.title, *applied([problem.fix]).values())
            ]
            assert fitting, problem
            assert fitting[0].is_preferred == (problem.fix.safe or None)
            assert fitting[0].diagnostics == [shown]


def test_more_than_half_of_the_samples_have_a_fix() -> None:
    """So that the test above sees enough of them."""
    found = [name for name in SAMPLES if any(problem.fix for problem in examined(sample(name)).problems)]
    assert 2 * len(found) > len(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_all_safe_fixes_are_one_action(name: str) -> None:
    view = examined(sample(name))
    safe = compatible(problem for problem in view.problems if problem.fix is not None and problem.fix.safe)
    start = types.Position(0, 0)
    found = offered(view, types.Range(start, start), ["source.fixAll"])
    assert [after(view, each) for each in found] == list(applied(p.fix for p in safe if p.fix is not None).values())


def allowed(text: str) -> str:
    """The text after its W201 was allowed, which it no longer has."""
    view = examined(text)
    (problem,) = [problem for problem in view.problems if problem.code == "W201"]
    (action,) = [a for a in offered(view, range_of(view, problem)) if a.title == f"allow {problem.code} here"]
    new = after(view, action)
    codes = [each.code for each in examined(new).problems]
    assert codes == [each.code for each in view.problems if each is not problem]
    return new


#: Of two handles, the second never runs.
SHADOWED = ":80 {\n    handle /a* {\n        log\n    }\n%s\n        log\n    }\n}\n"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("    handle /ab {", "    handle /ab { # edge: allow W201"),
        ("    handle /ab { # why", "    # edge: allow W201\n    handle /ab { # why"),
    ],
)
def test_a_warning_is_allowed_behind_its_line_or_above_it(line: str, result: str, end: str) -> None:
    text, expected = ((SHADOWED % each).replace("\n", end) for each in (line, result))
    assert allowed(text) == expected


#: An example of each kind of warning that a file can have, but for those about comments that allow.
WARNINGS = {
    code: found.wrong
    for code in codes()
    if code.startswith("W") and code != "W300" and (found := page(code)) is not None and found.wrong is not None
}


@pytest.mark.parametrize("code", WARNINGS)
def test_every_kind_of_warning_can_be_allowed(code: str) -> None:
    view = examined(WARNINGS[code])
    assert code in [problem.code for problem in view.problems]
    for problem in view.problems:
        if problem.code != code or problem.span is None or problem.span.source is not view.document.source:
            continue
        (action,) = [a for a in offered(view, range_of(view, problem)) if a.title == f"allow {code} here"]
        left = [(each.code, each.message) for each in examined(after(view, action)).problems]
        assert left.count((code, problem.message)) < [(p.code, p.message) for p in view.problems].count(
            (code, problem.message)
        )
        assert "W300" not in [each[0] for each in left]


def test_what_would_be_the_first_comment_of_a_file_is_not_offered() -> None:
    """It would hold for all of it."""
    for first, titles in (
        (":80 { # why\n", []),
        (":80 {\n", ["allow W316 here"]),
        ("# x\n:80 { # why\n", ["allow W316 here"]),
    ):
        view = examined(first + SHADOWED.removeprefix(":80 {\n") % "    handle /ab {")
        (problem,) = [problem for problem in view.problems if problem.code == "W316"]
        assert [action.title for action in offered(view, range_of(view, problem)) if "W316" in action.title] == titles


def test_an_error_cannot_be_allowed() -> None:
    view = examined(":80 {\n    proxxy :1\n}\n")
    where = types.Range(types.Position(0, 0), types.Position(9, 0))
    assert [action.title for action in offered(view, where)] == ['write "proxy"']


def test_actions_belong_to_the_place_that_is_asked_about() -> None:
    view = examined(":80 {\n    proxxy :1\n    respnd x\n}\n")
    line = types.Range(types.Position(2, 0), types.Position(2, 9))
    assert [action.title for action in offered(view, line)] == ['write "respond"']
    assert offered(view, types.Range(types.Position(0, 0), types.Position(0, 1))) == []
    assert offered(view, line, ["refactor"]) == []
