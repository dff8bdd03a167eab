"""Which tests an expression means."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgescript.testing.select import selector

NAMES = ["the API is passed on", "errors of the API", "files are served", "not or and"]


@pytest.mark.parametrize(
    ("expression", "meant"),
    [
        ("api", [0, 1]),
        ("api and errors", [1]),
        ("api and not errors", [0]),
        ("errors or files", [1, 2]),
        ("not (errors or files)", [0, 3]),
        ("files or api and errors", [1, 2]),
        ("not not api", [0, 1]),
        ('"is passed" or "or and"', [0, 3]),
        ("'not'", [3]),
        ('""', [0, 1, 2, 3]),
    ],
)
def test_names_are_chosen_by_their_words(expression: str, meant: list[int]) -> None:
    selected = selector(expression)
    assert [number for number, name in enumerate(NAMES) if selected(name)] == meant


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "a word of a test's name is expected"),
        ("api errors", '"and" or "or" is expected before "errors"'),
        ("(api", '")" is missing'),
        ("api)", '"and" or "or" is expected before ")"'),
        ("and api", 'a word of a test\'s name is expected before "and"'),
        ("api or", "a word of a test's name is expected"),
        ('"api', "a quote is not closed"),
    ],
)
def test_a_malformed_expression_is_told(expression: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        selector(expression)


@given(st.text(alphabet="ab ()\"'andornt", max_size=40))
def test_any_text_is_an_expression_or_a_value_error(text: str) -> None:
    try:
        selected = selector(text)
    except ValueError:
        return
    assert selected("ab") in (True, False)
