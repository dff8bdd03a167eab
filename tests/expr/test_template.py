from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgescript.expr.template import Template, TemplateError, parse

Parse = Callable[[str], Template]


@pytest.mark.parametrize(
    "text", ["", "plain", '{"json": {"a": 1}}', "a { color: red }", "f(){}", "{", "}", "{}", "${1}", "50%", "{ path }"]
)
def test_a_text_without_placeholders_is_constant(template_of: Parse, exchange: Any, text: str) -> None:
    template = template_of(text)
    assert template.constant == text
    assert template.read(exchange) == text


def test_escaped_braces_are_plain(template_of: Parse) -> None:
    assert template_of(r"\{path\}").constant == "{path}"
    assert template_of(r"C:\dir\n").constant == r"C:\dir\n"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("{path}", "/api/v1/things"),
        ("a{method}", "aGET"),
        ("{method}b", "GETb"),
        ("100% {method} %s", "100% GET %s"),
        ("{method}{host}", "GETapi.example.com"),
        ("%{method}%s{host}%", "%GET%sapi.example.com%"),
        ("{method} {host} {header.X-Level}{header.Absent}", "GET api.example.com 5"),
        (r'\{{method}\} {"a": "{vars.x}"}', '{GET} {"a": "y"}'),
    ],
)
def test_placeholders_are_filled_in(template_of: Parse, exchange: Any, text: str, read: str) -> None:
    template = template_of(text)
    assert template.constant is None
    assert template.text == text
    assert template.read(exchange) == read


def test_one_placeholder_alone_is_read_without_a_detour(values: Mapping[str, str]) -> None:
    def reader(exchange: Any) -> str:
        return "x"

    assert parse("{path}", lambda name: reader).read is reader


def test_an_unknown_placeholder_is_an_error_at_its_place(wrong_template: Callable[[str], Any]) -> None:
    error = wrong_template("say {metod} now")
    assert (error.code, error.part, error.hint) == ("E104", "{metod}", 'did you mean "method"?')


def test_a_placeholder_must_be_closed(wrong_template: Callable[[str], Any]) -> None:
    error = wrong_template("to /x{path")
    assert (error.code, error.part) == ("E106", "{path")


@given(st.text(alphabet="ab{}\\.%$\"' é\n_-0") | st.text())
def test_any_text_is_a_template_or_an_error(text: str) -> None:
    with suppress(TemplateError):
        assert isinstance(parse(text, lambda name: lambda exchange: "x").read(None), str)  # type: ignore[arg-type]
