from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from edgescript.catalog import Catalogue
from edgescript.declare.bind import Bound, bind_directive, bind_matcher, bind_setting, default_of
from edgescript.declare.entries import Role, directive
from edgescript.declare.fields import arg, option
from edgescript.declare.kinds import Rate, StatusPattern
from edgescript.declare.plan import DeclarationError, plan_of
from edgescript.declare.scope import Scope
from edgescript.language.tree import Line
from edgescript.text.problem import Problem
from edgescript.text.source import Span

Bind = Callable[[str], Bound]
ProblemsOf = Callable[[str], list[Problem]]


def written(span: Span | None) -> str:
    assert span is not None
    return span.source.text[span.start : span.end]


def test_arguments_are_taken_in_the_order_declared(bind: Bind) -> None:
    answer = bind('answer 404 "nothing here"').instance
    assert (answer.status, answer.text.constant) == (404, "nothing here")


def test_what_is_left_out_has_the_declared_default(bind: Bind) -> None:
    answer = bind("answer").instance
    assert (answer.status, answer.text, answer.close, answer.mode) == (200, None, False, "plain")
    assert bind("serve").instance.strict is True


def test_an_argument_may_stand_in_the_block(bind: Bind) -> None:
    answer = bind("answer {\n text hello\n status 201\n}").instance
    assert (answer.status, answer.text.constant) == (201, "hello")


def test_the_bare_name_of_a_switch_means_on(bind: Bind) -> None:
    assert bind("answer {\n close\n}").instance.close is True
    assert bind("serve {\n strict off\n}").instance.strict is False


def test_options_groups_and_repeated_lines(bind: Bind) -> None:
    bound = bind(
        """forward 10.0.0.1:80 [::1]:81 {
            balance weighted 1 2
            set X-One 1
            set X-Two
            only 10.0.0.0/8 private_ranges
            window 10s 64KiB
            limit 10/s
            health /ok {
                interval 5s
            }
        }
        """
    )
    forward = bound.instance
    assert [(address.host, address.port) for address in forward.to] == [("10.0.0.1", 80), ("::1", 81)]
    assert forward.balance.weights == (1, 2)
    assert [(change.name, change.value and change.value.constant) for change in forward.set_] == [
        (b"x-one", "1"),
        (b"x-two", None),
    ]
    assert ip_network("172.16.0.0/12") in forward.only[1].networks
    assert forward.window == (10.0, 65536)
    assert forward.limit == Rate(10, 1.0)
    assert (forward.health.path.constant, forward.health.interval) == ("/ok", 5.0)
    assert forward.health.expect == StatusPattern(2, True)
    assert forward.key.text == "{client_ip}"
    assert type(bind("forward :80").instance.balance).__name__ == "First"


def test_lines_that_are_no_option_are_rows(bind: Bind) -> None:
    choose = bind("choose {client_ip} {\n default x\n a 1 2\n b\n}").instance
    assert choose.default.constant == "x"
    assert [(case.value, [result.constant for result in case.results]) for case in choose.cases] == [
        ("a", ["1", "2"]),
        ("b", []),
    ]


def test_a_row_may_begin_with_the_name_of_an_argument(bind: Bind) -> None:
    choose = bind("choose {client_ip} {\n source 1\n}").instance
    assert [case.value for case in choose.cases] == ["source"]


def test_spans_lead_to_where_a_value_was_written(bind: Bind) -> None:
    bound = bind("answer 404 {\n close\n}")
    assert written(bound.span("status")) == "404"
    assert written(bound.span("close")) == "close"
    assert written(bound.span("mode")) == written(bound.span()) == "answer 404"
    group = bind("forward :80 {\n health {\n interval 5s\n }\n}")
    assert written(group.span("health.interval")) == "interval 5s"
    assert written(group.span("health.expect")) == "health"


@pytest.mark.parametrize(
    ("text", "matcher", "root"),
    [
        ("serve", None, None),
        ("serve /srv", None, "/srv"),
        ('serve "/srv"', None, "/srv"),
        ("serve /a/* /srv", "/a/*", "/srv"),
        ("serve * /srv", "*", "/srv"),
        ("serve @name /srv", "@name", "/srv"),
        ("serve @name", "@name", None),
        ("serve srv", None, "srv"),
        ("serve /a/* {\n root /srv\n}", "/a/*", "/srv"),
        ("serve /srv {\n strict on\n}", None, "/srv"),
    ],
)
def test_a_path_is_the_matcher_unless_the_directive_would_want_for_it(
    bind: Bind, text: str, matcher: str | None, root: str | None
) -> None:
    bound = bind(text)
    assert (bound.matcher and bound.matcher.value) == matcher
    assert (bound.instance.root and bound.instance.root.text) == root


def test_a_path_is_the_matcher_where_arguments_do_not_look_like_one(bind: Bind) -> None:
    bound = bind("answer /x 204")
    assert bound.matcher is not None
    assert (bound.matcher.value, bound.instance.status) == ("/x", 204)
    assert bind("answer /x").instance.status == 200
    assert bind("choose /x").matcher is None


def test_directives_of_a_block_are_bound(bind: Bind) -> None:
    held = bind("inside /x {\n answer 204\n\n inside {\n serve\n }\n}").instance.held
    assert [bound.declaration.name for bound in held.lines] == ["answer", "inside"]
    assert [bound.declaration.name for bound in held.lines[1].instance.held.lines] == ["serve"]


def test_whoever_binds_may_bind_blocks_its_own_way(catalogue: Catalogue, lines: Callable[[str], list[Line]]) -> None:
    scope = Scope(catalogue, steps=lambda block: [len(block)])
    (line,) = lines("inside {\n whatever\n}")
    bound = bind_directive(line, scope)
    assert bound is not None
    assert bound.instance.held.lines == [1]


def test_matchers_may_hold_matchers(scope: Scope, lines: Callable[[str], list[Line]]) -> None:
    one, block = lines("@a none_of none_of path /x /y\n@b none_of {\n path /x\n path /y\n}")
    outer = bind_matcher(one, scope, 1)
    assert outer is not None
    assert outer.instance.held.lines[0].instance.held.lines[0].instance.patterns == ("/x", "/y")
    both = bind_matcher(block, scope, 1)
    assert both is not None
    assert [held.instance.patterns for held in both.instance.held.lines] == [("/x",), ("/y",)]
    assert scope.problems == []


def test_settings_have_defaults_without_being_written(
    scope: Scope, lines: Callable[[str], list[Line]], catalogue: Catalogue
) -> None:
    patience = catalogue.setting("patience")
    assert patience is not None
    bound = bind_setting(lines("patience 9s")[0], scope)
    assert bound is not None
    assert bound.instance == patience(time=9.0)
    assert default_of(patience, scope) == patience(time=5.0)
    forward = catalogue.directive("forward")
    assert forward is not None
    assert default_of(forward, scope) is None


@pytest.mark.parametrize(
    ("text", "code", "where", "message", "hint"),
    [
        ("anwser 200", "E101", "anwser", 'there is no directive "anwser"', 'did you mean "answer"?'),
        (
            "patience 3s",
            "E101",
            "patience",
            'there is no directive "patience"',
            '"patience" is a global setting: it stands in the block without a name at the top of the file',
        ),
        ("answer {\n clos\n}", "E102", "clos", '"answer" has no option "clos"', 'did you mean "close"?'),
        ("serve {\n zzz 1\n}", "E102", "zzz", '"serve" has no option "zzz"', "its options are root, strict"),
        ("answer 2000", "E106", "2000", 'expected a status code such as 404, not "2000"', None),
        (
            "answer {\n mode htlm\n}",
            "E106",
            "htlm",
            '"mode": expected plain or html, not "htlm"',
            'did you mean "html"?',
        ),
        ("answer {\n close yes\n}", "E106", "yes", '"close": expected on or off, not "yes"', 'did you mean "on"?'),
        (
            "forward :80 {\n health {\n interval 5\n }\n}",
            "E106",
            "5",
            '"interval": expected a duration such as 10s, not "5"',
            'did you mean "5s"?',
        ),
        (
            "forward :80 {\n health {\n interval 500ms\n }\n}",
            "E106",
            "500ms",
            '"interval" is at least 1s and at most 1h, not 500ms',
            None,
        ),
        ("forward a:99999", "E106", "99999", "a port is a number from 1 to 65535", None),
        ('forward "a:99999"', "E106", "99999", "a port is a number from 1 to 65535", None),
        (
            "forward",
            "E107",
            "forward",
            '"forward" needs "to", an address such as localhost:8080, on its line',
            "write: forward [<matcher>] <to>… [{ … }]",
        ),
        ("forward :80 {\n balance\n}", "E107", "balance", '"balance" needs the name of a balancing policy', None),
        (
            "forward :80 {\n balance weighted 1\n}",
            "E107",
            "1",
            '"weighted" needs "weights", a whole number, on its line',
            "write: weighted <weights>…",
        ),
        ("forward :80 {\n window 1s\n}", "E107", "window 1s", '"window" needs a size such as 64KiB', None),
        ("needy", "E107", "needy", '"needy" needs "name", a text, in its block', "write: needy [<matcher>] { … }"),
        (
            "answer 200 a b c",
            "E108",
            "b c",
            '"answer" takes at most 2 arguments',
            "write: answer [<matcher>] [<status>] [<text>] [{ … }]",
        ),
        ("inside x {\n}", "E108", "x", '"inside" takes no arguments', "write: inside [<matcher>] { … }"),
        ("answer {\n mode plain html\n}", "E108", "html", '"mode" takes one value', None),
        ("inside", "E109", "inside", '"inside" needs a block', "write: inside [<matcher>] { … }"),
        ("answer {\n close {\n x\n }\n}", "E109", "close", '"close" takes no block', None),
        ("answer {\n mode plain\n mode html\n}", "E110", "mode html", '"mode" is given twice', None),
        ("answer 200 {\n status 300\n}", "E110", "200", '"status" is given twice', None),
        (
            "forward :80 {\n health {\n interval 1m\n }\n}",
            "E115",
            "interval 1m",
            "a minute is not allowed",
            "take another",
        ),
        (
            "forward :80 {\n balance frist\n}",
            "E117",
            "frist",
            'there is no balancing policy "frist"',
            'did you mean "first"?',
        ),
        ("answer 200 {heade.X}", "E104", "heade.X", 'there is no placeholder "heade.X"', 'did you mean "header"?'),
    ],
)
def test_each_mistake_is_told_at_its_place(
    problems_of: ProblemsOf, text: str, code: str, where: str, message: str, hint: str | None
) -> None:
    (problem,) = problems_of(text)
    assert (problem.code, problem.message, problem.hint) == (code, message, hint)
    assert where in written(problem.span)
    assert len(written(problem.span)) <= len(where) + 2


def test_every_mistake_of_a_directive_is_reported_in_one_run(problems_of: ProblemsOf) -> None:
    problems = problems_of("forward a:0 {\n limit x\n nothing\n health {\n expect 9xx\n }\n inner\n}\nserv\n")
    assert [problem.code for problem in problems] == ["E106", "E102", "E106", "E102", "E106", "E101"]


def test_a_mistake_in_a_block_of_directives_does_not_undo_the_block(
    scope: Scope, lines: Callable[[str], list[Line]]
) -> None:
    (line,) = lines("inside {\n nonsense\n answer 204\n}")
    bound = bind_directive(line, scope)
    assert bound is not None
    assert [held.instance.status for held in bound.instance.held.lines] == [204]
    assert [problem.code for problem in scope.problems] == ["E101"]


def test_the_second_of_two_equal_options_points_to_the_first(problems_of: ProblemsOf) -> None:
    (problem,) = problems_of("answer {\n mode plain\n mode html\n}")
    assert [written(note.span) for note in problem.notes] == ["mode plain"]


def test_unknown_matchers_and_settings_are_told(scope: Scope, lines: Callable[[str], list[Line]]) -> None:
    assert bind_matcher(lines("pth /x")[0], scope) is None
    assert bind_matcher(lines("none_of")[0], scope) is None
    assert bind_matcher(lines("none_of pth /x")[0], scope) is None
    assert bind_setting(lines("patient 3s")[0], scope) is None
    assert [problem.code for problem in scope.problems] == ["E103", "E107", "E103", "E105"]


def test_entries_inside_each_other_are_bounded(scope: Scope, lines: Callable[[str], list[Line]]) -> None:
    assert bind_matcher(lines(f"{'none_of ' * 5000}path /x")[0], scope) is None
    assert [problem.code for problem in scope.problems] == ["E014"]
    (inner,) = lines("answer 204")
    for _ in range(2000):
        outer = Line(lines("inside {\n}")[0].words, 0, 0, inner.origin)
        outer.block = [inner]
        inner = outer
    assert bind_directive(inner, scope) is not None
    assert [problem.code for problem in scope.problems] == ["E014", "E014"]
    assert scope.depth == 0


def test_an_empty_block_is_no_mistake(bind: Bind) -> None:
    assert bind("serve /srv {\n}").instance.root.text == "/srv"


def test_equal_texts_are_parsed_once(bind: Bind) -> None:
    assert bind("answer 200 {client_ip}").instance.text is bind("answer 404 {client_ip}").instance.text


def _wrong(annotation: Any, field: Any) -> type[Any]:
    return directive("wrong", role=Role.SITE)(
        type("Wrong", (), {"__annotations__": {"value": annotation}, "value": field})
    )


@pytest.mark.parametrize(
    "entry",
    [
        _wrong(int, option("A number that may not be None.")),
        _wrong(int, option("A default that is no text.", default=5)),
        _wrong(bytes, option("No kind of value.", default="x")),
        _wrong(int, option("Several in one.", repeated=True)),
        _wrong(tuple[int, ...], arg("Several words.")),
    ],
)
def test_a_declaration_without_meaning_is_refused(entry: type[Any]) -> None:
    with pytest.raises(DeclarationError):
        plan_of(entry)
