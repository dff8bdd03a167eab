"""What has errors becomes a comment, and what it kept closed stays closed."""

from __future__ import annotations

from edgescript.catalog import Catalogue
from edgescript.convert.edgefile import Directive, Edgefile, Node
from edgescript.convert.mend import mended
from edgescript.convert.report import Outcome, Report


def _mended(*nodes: Node) -> tuple[list[str], Report]:
    site = Directive([":80"], list(nodes), origin=("Caddyfile:1", ":80"))
    conversion = mended(Edgefile(nodes=[site]), Report(), Catalogue.load())
    return [line.strip() for line in conversion.text.splitlines()[1:-1]], conversion.report


def test_an_error_becomes_a_comment_with_the_problem_as_reason() -> None:
    lines, report = _mended(
        Directive(["sail", "fast"], origin=("Caddyfile:2", "sail fast")), Directive(["respond", "x"])
    )
    assert lines == ["# not converted: sail fast", "respond x"]
    assert [(one.outcome, one.place, one.written) for one in report.remarks] == [
        (Outcome.NOT, "Caddyfile:2", "sail fast")
    ]
    assert "sail" in report.remarks[0].reason


def test_what_used_a_matcher_that_is_gone_goes_with_it() -> None:
    lines, _ = _mended(
        Directive(["@x", "strange"]), Directive(["respond", "@x", "secret"]), Directive(["respond", "x"])
    )
    assert lines == ["# not converted: @x strange", "# not converted: respond @x secret", "respond x"]


def test_what_keeps_something_closed_is_replaced() -> None:
    guard: list[Node] = [Directive(["error", "/x", "501"])]
    lines, _ = _mended(Directive(["watchman", "/x"], instead=guard), Directive(["respond", "x"]))
    assert lines == ["# not converted: watchman /x", "error /x 501", "respond x"]


def test_what_never_runs_was_not_needed() -> None:
    never = Directive(["respond", "y"], origin=("Caddyfile:3", "respond y"))
    lines, report = _mended(Directive(["respond", "x"]), never)
    assert lines == ["respond x", "# left out, it never runs: respond y"]
    assert report.is_complete


def test_what_was_added_goes_without_a_word() -> None:
    lines, report = _mended(Directive(["respond", "x"]), Directive(["respond", "200"], optional=True))
    assert lines == ["respond x"]
    assert report.remarks == []


def test_a_refusal_that_cannot_stay_refuses_everything() -> None:
    broken: list[Node] = [Directive(["@x", "strange"]), Directive(["error", "@x", "403"]), Directive(["respond", "x"])]
    lines, _ = _mended(*broken)
    assert 'error @refused_1 501 "a refusal was not converted"' in lines
    assert lines[-1] == "respond x"


def test_pages_for_errors_that_cannot_stay_close_nothing() -> None:
    lines, _ = _mended(Directive(["respond", "x"]), Directive(["handle_errors", "@x"], [Directive(["error", "404"])]))
    assert "@refused_1" not in "".join(lines)


def test_a_block_that_refuses_is_replaced_by_one_that_does() -> None:
    block: list[Node] = [Directive(["abort"])]
    lines, _ = _mended(Directive(["handle", "@unknown"], block), Directive(["handle"], [Directive(["respond", "x"])]))
    assert "handle @refused_1 {" in lines
