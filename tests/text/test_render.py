from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgescript.text.formats import json as as_json
from edgescript.text.pages import codes
from edgescript.text.problem import Edit, Fix, Note, Problem, did_you_mean, fix_of, in_order, it_is_called, nearest
from edgescript.text.render import as_text
from edgescript.text.source import Source, Span


def shown(text: str, start: int, end: int) -> list[str]:
    """The source line and the underline of a span."""
    lines = as_text([Problem("E101", "wrong", Span(Source("Edgefile", text), start, end))]).splitlines()
    return [line.partition("|")[2][1:] for line in lines[3:5]]


def test_a_problem_is_shown_with_its_place_notes_imports_and_hint() -> None:
    source = Source("Edgefile", "a {\n    proxyy x\n}\n")
    imported = Span(source, 0, 1)
    note = Note("first here", Span(source, 0, 1))
    problem = Problem("E101", "there is none", Span(source, 8, 14, imported), (note,), 'did you mean "proxy"?')
    assert as_text([problem]) == (
        "error[E101]: there is none\n"
        " --> Edgefile:2:5\n"
        "  |\n"
        "2 |     proxyy x\n"
        "  |     ^^^^^^\n"
        "  = imported at Edgefile:1:1\n"
        "  = note: first here\n"
        " --> Edgefile:1:1\n"
        "  |\n"
        "1 | a {\n"
        "  | ^\n"
        '  = hint: did you mean "proxy"?\n'
        "\n"
    )


def test_of_a_span_over_several_lines_the_first_and_the_last_are_underlined() -> None:
    source = Source("Edgefile", "a {\n    b `1\n2\n3\n  4` c\n}\n")
    text = as_text([Problem("E101", "wrong", Span(source, 10, 21))])
    assert text == (
        "error[E101]: wrong\n --> Edgefile:2:7\n  |\n2 |     b `1\n  |       ^^\n…\n5 |   4` c\n  |   ^^\n\n"
    )


def test_a_fix_is_told_where_it_says_more_than_the_hint() -> None:
    span = Span(Source("Edgefile", "x"), 0, 1)
    fix = Fix("put a space in", (Edit(span, " "),))
    assert "= fix: put a space in" in as_text([Problem("E005", "wrong", span, fix=fix)])
    assert "= fix: put a space in" in as_text([Problem("E005", "wrong", span, hint="or do without", fix=fix)])
    assert "= fix" not in as_text([Problem("E005", "wrong", span, hint="put a space in", fix=fix)])
    hint = did_you_mean("proxyy", ["proxy"])
    assert "= fix" not in as_text([Problem("E101", "wrong", span, hint=hint, fix=fix_of(hint, span))])


def test_a_hint_that_names_a_word_is_a_fix_too() -> None:
    span = Span(Source("Edgefile", "proxyy"), 0, 6)
    assert fix_of(did_you_mean("proxyy", ["proxy"]), span) == Fix('write "proxy"', (Edit(span, "proxy"),), safe=False)
    assert fix_of(it_is_called("proxy"), span) == Fix('write "proxy"', (Edit(span, "proxy"),), safe=True)
    assert fix_of("only words", span) is None
    assert fix_of(it_is_called("proxy"), None) is None


def test_the_nearest_name_is_the_one_that_begins_alike() -> None:
    assert nearest("retries", ["rewrite", "retry"]) == "retry"


def test_a_problem_without_a_place_is_shown_too() -> None:
    assert as_text([Problem("W201", "odd", None)]) == "warning[W201]: odd\n\n"
    assert json.loads(as_json.render([Problem("W201", "odd", None)]))[0]["file"] is None


def test_the_underline_stands_below_tabs_and_wide_characters() -> None:
    assert shown("\tab\tcd", 4, 6) == ["    ab  cd", "        ^^"]
    assert shown('"日本" x', 5, 6) == ['"日本" x', "       ^"]
    assert shown("日本", 0, 2) == ["日本", "^^^^"]
    assert shown("e\u0301 x", 3, 4) == ["e\u0301 x", "  ^"]


def test_an_empty_span_and_the_end_of_the_file_are_underlined() -> None:
    assert shown("ab", 2, 2) == ["ab", "  ^"]
    assert shown("ab\n", 3, 3)[1] == "^"


def test_of_a_long_line_the_part_around_the_span_is_shown() -> None:
    line, underline = shown("x" * 5000 + "here" + "y" * 5000, 5000, 5004)
    assert len(line) < 130
    assert line[underline.index("^") :].startswith("here")
    assert underline.count("^") == 4


def test_what_would_steer_a_terminal_is_not_shown() -> None:
    source = Source("a\x1bb", "x \x1b[31m \u202e \udcff\n")
    text = as_text([Problem("E001", "bad \x1b", Span(source, 2, 3))])
    assert "\x1b" not in text
    assert "\u202e" not in text
    text.encode()


def test_colours_are_used_only_when_asked_for() -> None:
    problem = Problem("E101", "wrong", None)
    assert "\x1b[" not in as_text([problem])
    assert "\x1b[1;31m" in as_text([problem], colour=True)


def test_json_has_all_coordinates() -> None:
    source = Source("Edgefile", "a {\n  b\n}\n")
    problem = Problem("E101", "wrong", Span(source, 6, 7, Span(source, 0, 1)), (Note("see"),), "do")
    assert json.loads(as_json.render([problem])) == [
        {
            "code": "E101", "severity": "error", "message": "wrong", "file": "Edgefile", "line": 2, "column": 3,
            "end_line": 2, "end_column": 4, "imported": [{"file": "Edgefile", "line": 1, "column": 1}],
            "notes": [{"message": "see", "file": None}], "hint": "do", "fix": None,
        }
    ]  # fmt: skip


def test_problems_are_told_once_and_from_top_to_bottom() -> None:
    one, two = Source("one", "abc"), Source("two", "abc")
    second = Problem("E101", "b", Span(two, 0, 1))
    late, early = Problem("E101", "c", Span(one, 2, 3)), Problem("E101", "a", Span(one, 0, 1))
    again = Problem("E101", "a", Span(one, 0, 1, Span(two, 0, 1)))
    assert in_order([late, second, early, again]) == [early, late, second]


def test_the_nearest_name_is_meant() -> None:
    assert did_you_mean("proxyy", ["proxy", "log"]) == 'did you mean "proxy"?'
    assert did_you_mean("zzz", ["proxy", "log"]) is None


def test_every_code_tells_its_severity() -> None:
    assert all(code[0] in "EW" and code[1:].isdecimal() and len(code) == 4 for code in codes())


@given(st.text(max_size=300), st.integers(0, 300), st.integers(0, 40), st.booleans())
def test_any_place_in_any_text_can_be_shown(text: str, start: int, length: int, colour: bool) -> None:
    start = min(start, len(text))
    span = Span(Source("Edgefile", text), start, min(start + length, len(text)))
    problem = Problem("E101", text, span, (Note(text, span),), text)
    as_text([problem], colour=colour).encode()
    json.loads(as_json.render([problem]))


def test_a_secret_is_not_shown_by_any_problem_of_its_line() -> None:
    source = Source("Edgefile", "a hunter2 b\n")
    secret = Problem("W314", "a secret", Span(source, 2, 9), is_secret=True)
    other = Problem("E101", "wrong", Span(source, 0, 1), (Note("here", Span(source, 10, 11)),))
    told = as_text([other, secret])
    assert "hunter2" not in told
    assert told.count("1 | a ******* b\n") == 3


def test_a_message_about_megabytes_is_cut() -> None:
    assert len(as_text([Problem("E113", "x" * 1_000_000, None)])) < 2000


def test_a_name_among_thousands_is_compared_with_those_that_begin_like_it() -> None:
    names = [f"{letter}name{number:04}" for letter in "abcdefgh" for number in range(1000)]
    assert nearest("bname004", names) in names


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("storage redis redis://u:a@hunter2@127.0.0.1", "storage redis redis://u:*********@127.0.0.1"),
        ("  passwort hunter2", "  passwort *******"),
        ("  sentinel_password hunter2 hunter3", "  sentinel_password ******* *******"),
        ('  password "hunter 2"', "  password ******* **"),
        ("  password {$PASSWORD}", "  password {$PASSWORD}"),
        ("  password_file /run/secrets/x", "  password_file /run/secrets/x"),
        ("  secret {", "  secret {"),
        ("  user password", "  user password"),
    ],
)
def test_whatever_a_problem_is_about_its_line_shows_no_secret(text: str, shown: str) -> None:
    source = Source("Edgefile", f"{text}\nnext")
    told = as_text([Problem("E101", "something else", Span(source, 0, 1))])
    assert f"1 | {shown}\n" in told
