from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgescript.expr.expression import MAX_LENGTH, Expression, parse
from edgescript.expr.functions import FUNCTIONS, METHODS
from edgescript.expr.template import TemplateError

Parse = Callable[[str], Expression]

HOLD = [
    'path.startswith("/api/") and method == "GET" and int(header["X-Level"] or 0) > 3',
    'cookie["beta"] == "1"',
    'header["X-Level"] in ("4", "5")',
    'header["X-Level"] not in ["4"]',
    '"api" in path',
    'not header["Absent"]',
    'int(header["Absent"] or 0) == 0',
    'query["q"] == "1"',
    'query("q") == "1"',
    'query == "q=1"',
    'tls.version == "1.3"',
    'resp.header["Age"] == "7"',
    'labels[0] == "com"',
    'vars["x"] == "y"',
    "status >= 400 and status < 500",
    "400 <= status < 500",
    'path[0] == "/"',
    'path[1:4] == "api"',
    'path[-6:] == "things"',
    'path.split("/")[2] == "v1"',
    'path + "/" == "/api/v1/things/"',
    'path.removeprefix("/api").replace("v1", "v2") == "/v2/things"',
    'path.startswith(("/a", "/b"))',
    'lower(method) == "get" and method.lower() == lower("GET")',
    "len(path) == 14",
    '-1 + 2 * 3 - 4 // 2 == 3 and 7 % 4 == 3 and 1 / 2 == 0.5 and +1 == 1',
    'str(status) == "404"',
    '(status if method == "GET" else 0) == 404',
    're_match("^/api/v[0-9]+/", path)',
    'cidr(client_ip, "192.168.0.0/16", "10.0.0.0/8")',
    'cidr(client_ip, "private_ranges")',
    'cidr("::ffff:10.0.0.1", "10.0.0.0/8")',
    'method == "POST" or method == "PUT" or method == "GET"',
    "True and not False",
    "   path \n !=\n\t'x' ",
]  # fmt: skip


@pytest.mark.parametrize("text", HOLD)
def test_what_holds(expression_of: Parse, exchange: Any, text: str) -> None:
    expression = expression_of(text)
    assert expression.text == text
    assert expression.test(exchange) is True


@pytest.mark.parametrize("text", HOLD)
def test_the_contrary_does_not_hold(expression_of: Parse, exchange: Any, text: str) -> None:
    assert expression_of(f"not ({text})").test(exchange) is False


@pytest.mark.parametrize(
    "text",
    [
        'int(header["Absent"]) > 3',
        'int("x") == 0',
        "1 / 0 == 1",
        'path.split("/")[9] == "x"',
        'cidr(host, "10.0.0.0/8")',
        "path.startswith(1)",
        '1 < int("x") < 3',
        '(header["Absent"] or 0) + "x" == "x"',
        '(header["X-Level"] or 0) * 2 == 10',
    ],
)
def test_a_comparison_that_cannot_be_made_is_false(expression_of: Parse, exchange: Any, text: str) -> None:
    assert expression_of(text).test(exchange) is False


def test_an_impossible_comparison_does_not_stop_an_alternative(expression_of: Parse, exchange: Any) -> None:
    assert expression_of('int(header["Absent"]) > 3 or method == "GET"').test(exchange) is True


@pytest.mark.parametrize(
    ("text", "code", "part", "hint"),
    [
        ('"é" == pat', "E104", "pat", 'did you mean "path"?'),
        ('header["Nope"] == "1"', "E104", 'header["Nope"]', None),
        ("path > 3", "E114", "3", "write int(path)"),
        ('status == "404"', "E114", '"404"', "write int(\"404\")"),
        ("true", "E104", "true", 'write "True"'),
        ("path && method", "E114", "&&", 'write "and"'),
        ("!path", "E114", "!", 'write "not"'),
        ('{method} == "GET"', "E114", "{method}", "write method without the braces"),
        ('path = "?"', "E114", "=", 'write "=="'),
        ('re_match("a?b!", path))', "E114", ")", None),
        ("path is None", "E114", "None", 'a placeholder without a value is an empty text: write "not X"'),
        ('path is "x"', "E114", '"x"', 'write "=="'),
        ('path.startwith("x")', "E114", "startwith", 'did you mean "startswith"?'),
        ("path.lower", "E114", "path.lower", None),
        ("lowr(path)", "E114", "lowr", 'did you mean "lower"?'),
        ("re_match(path, path)", "E114", "path", None),
        ('re_match("(", path)', "E114", '"("', None),
        ('cidr(client_ip, "10.0.0.0/33")', "E114", '"10.0.0.0/33"', None),
        ("lower()", "E114", "lower()", None),
        ("", "E114", "", None),
        ("(", "E114", "(", None),
        ("header[path]", "E114", "header[path]", None),
    ],
)  # fmt: skip
def test_mistakes_are_told_at_their_place(
    wrong_expression: Callable[[str], Any], text: str, code: str, part: str, hint: str | None
) -> None:
    error = wrong_expression(text)
    assert (error.code, error.part) == (code, part)
    assert hint is None or error.hint == hint


@pytest.mark.parametrize(
    "text",
    [
        "path.__class__", "path.__class__.__mro__", "().__class__", '"".format(path)', 'path.format_map("x")', "path._x",
        "__import__('os')", "open('/etc/passwd')", "eval('1')", "lambda: 1", "[x for x in path]", "(x := 1)", 'f"{path}"',
        "9**9**9", '"a" * 10**9', '"a" * 1000000000', "1 << 100", "path * 2", "~1", "1 @ 2", "{1: 2}", "...", "1j", "b'x'",
        "None", "await path", "yield", "*path", "path(*path)", "lower(text=path)", "print", "path == 1; 2", "import os",
        "a\x00b", "\ud800",
    ],
)  # fmt: skip
def test_nothing_else_of_python_is_possible(wrong_expression: Callable[[str], Any], text: str) -> None:
    wrong_expression(text)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000, "-" * 8000 + "1", "not " * 1900 + "path", "1+" * 4000 + "1", "path" + '.lower()' * 900,
        "path" + "[0]" * 2000, "[" * 100 + "]" * 100, "9" * 8000, "path == " * 900 + "path", "x" * (MAX_LENGTH + 1),
        "a if b else " * 600 + "c", "path.replace(" * 200,
    ],
)  # fmt: skip
def test_huge_and_deep_texts_are_an_error_or_work(expression_of: Parse, exchange: Any, text: str) -> None:
    with suppress(TemplateError):
        expression_of(text).test(exchange)


def test_replacing_cannot_fill_the_memory(exchange: Any) -> None:
    expression = parse(
        'len(path.replace("a", path).replace("a", path).replace("a", path)) > 0', lambda name: lambda _: "a" * 2000
    )
    assert expression.test(exchange) is False


def test_the_names_that_are_read_are_known(expression_of: Parse) -> None:
    assert expression_of('path == "/" and header["X-Level"] == "1"').names == ("path", "header.X-Level")


words = st.sampled_from(
    [*FUNCTIONS, *METHODS, "path", "header", "re_match", "cidr", "and", "or", "not", "in", "if", "else", "lambda", "for",
     "(", ")", "[", "]", "{", "}", ",", ".", "==", "<", "+", "-", "*", "**", "%", "/", ":", "=", ":=", "'a'", '"', "1",
     "0.5", "é", "_", "\\", "\n", "#", "None", "True", "async", "await", "1_0", "0x", "..."]
)  # fmt: skip


@given(st.lists(words, max_size=20).map(" ".join) | st.lists(words, max_size=20).map("".join) | st.text())
def test_any_text_is_an_expression_or_an_error(text: str) -> None:
    with suppress(TemplateError):
        assert parse(text, lambda name: lambda exchange: "x").test(None) in (True, False)  # type: ignore[arg-type]


#: Expressions of what is allowed, which Python itself must see the same way.
atoms = st.sampled_from(["1", "2", "0", "-3", "0.5", "'a'", "'b'", "'ab'", "True", "False", "('a', 'b')"])
allowed = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or", "==", "!=", "<", ">=", "in", "+", "-", "//", "%"]), inner).map(
            lambda parts: f"({' '.join(parts)})"
        ),
        inner.map(lambda part: f"(not {part})"),
        st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]} if {parts[1]} else {parts[2]})"),
        inner.map(lambda part: f"len({part})"),
    ),
    max_leaves=8,
)


@given(allowed)
def test_what_can_be_computed_is_computed_as_python_does(text: str) -> None:
    try:
        ours = parse(text, lambda name: lambda exchange: "x").test(None)  # type: ignore[arg-type]
    except TemplateError:
        return
    try:
        expected = bool(eval(compile(ast.parse(text, mode="eval"), "text", "eval"), {"__builtins__": {"len": len}}))
    except (TypeError, ZeroDivisionError, ValueError):
        return
    assert ours is expected


def test_a_sign_inside_of_a_text_is_no_reason_for_a_hint(wrong_expression: Callable[[str], Any]) -> None:
    assert wrong_expression('path == "a?b!c&&d=e" method').hint is None
