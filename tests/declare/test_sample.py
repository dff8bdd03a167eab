"""Requests that are made up."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgescript.declare.sample import fitting, matching, readable


@pytest.mark.parametrize(
    "pattern",
    [
        r"^/users/(\d+)$", r"\.php$", r"^/(de|en)/.*", r"[a-f0-9]{8}", r"(?i)admin", r"^/[^/]+/x$", r"^/v[0-9]+(?:/|$)", "",
        r"a*?b", r"(?P<name>\w+)\s", r"^[^x]y$|^z",
    ],
)  # fmt: skip
def test_a_regular_expression_finds_something_in_the_text_made_of_it(pattern: str) -> None:
    text = matching(pattern)
    assert text is None or re.search(pattern, text)
    assert text is not None or pattern == r"^[^x]y$|^z"


def test_repetitions_in_repetitions_stay_short() -> None:
    assert len(matching("(((a{100}){100}){100}){100}|a") or "") <= 2000


@pytest.mark.filterwarnings("ignore:Possible:FutureWarning")
@given(st.text(st.sampled_from(list(r"ab1/.*+?()[]{}|\\^$-d,:<=!")), max_size=12))
@settings(max_examples=300, deadline=None)
def test_any_regular_expression_gives_a_fitting_text_or_none(pattern: str) -> None:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return
    text = matching(pattern)
    assert text is None or re.search(pattern, text)


def test_what_stands_for_anything_is_shown_as_it_was_written() -> None:
    assert readable(fitting("/a/*.php")) == "/a/*.php"
