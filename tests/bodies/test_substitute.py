"""What comes out is what the whole body would give, whatever the pieces."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgescript.bodies.substitute import WINDOW, PatternSubstitution, TextSubstitution, can_be_nothing, window_of
from edgescript.bodies.transform import Transformer


def through(transformer: Transformer, pieces: Sequence[bytes]) -> bytes:
    made = [out for piece in pieces for out in transformer.feed(piece)]
    return b"".join([*made, transformer.finish()])


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


#: Few letters, so that there is much to find.
_TEXT = st.text("ab\n", max_size=60).map(str.encode)
_SIZES = st.lists(st.integers(0, 9), max_size=20)


@settings(max_examples=400, deadline=None)
@given(text=_TEXT, find=st.text("ab\n", min_size=1, max_size=5).map(str.encode), sizes=_SIZES, once=st.booleans())
def test_a_text_is_replaced_as_in_the_whole(text: bytes, find: bytes, sizes: list[int], once: bool) -> None:
    expected = text.replace(find, b"<x>", 1 if once else -1)
    assert through(TextSubstitution(find, b"<x>", once=once), cut(text, sizes)) == expected


PATTERNS = [
    "a", "ab", "aab|ab", "a{1,3}b", "[^a]b", "a$", "(?m)^a", "(?m)a$", "(?<=b)a", "(?<!b)a", "a(?=b)", "a(?!b)", r"\bab\b",
    "^a", r"a\Z", r"(a)(b)\1", "(?i)AB", "(?s)a.b", "a+", "a+?b", "ü.", "é|ü",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
@settings(max_examples=60, deadline=None)
@given(text=st.text("abü\n", max_size=60), sizes=_SIZES, once=st.booleans())
def test_a_pattern_is_replaced_as_in_the_whole(pattern: str, text: str, sizes: list[int], once: bool) -> None:
    compiled = re.compile(pattern)
    expected = compiled.sub(lambda match: f"<{match[0]}>", text, count=1 if once else 0).encode()
    made = PatternSubstitution(compiled, lambda match: f"<{match[0]}>", once=once)
    assert through(made, cut(text.encode(), sizes)) == expected


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=80), sizes=_SIZES)
def test_bytes_that_are_no_utf_8_pass_as_they_are(data: bytes, sizes: list[int]) -> None:
    made = PatternSubstitution(re.compile("zz"), lambda match: "y")
    assert through(made, cut(data, sizes)) == data.replace(b"zz", b"y")


def test_long_bodies_are_not_held_back_and_memory_stays_small() -> None:
    made = PatternSubstitution(re.compile("<[a-z]+>"), lambda match: "!")
    out = b"".join(out for _ in range(200) for out in made.feed(b"text <b> text " * 1000))
    assert len(out) + 2 * WINDOW > 200 * len(b"text ! text " * 1000)
    assert made.finish()
    assert len(made._text) < 2 * WINDOW


@pytest.mark.parametrize(
    ("pattern", "window"), [("abc", 5), ("a{2,10}", 12), ("a|bcd$", 5), ("a+", WINDOW), ("a(?=b)", WINDOW)]
)
def test_a_pattern_holds_back_what_its_matches_reach_over(pattern: str, window: int) -> None:
    assert window_of(re.compile(pattern)) == window


def test_a_text_holds_back_only_its_own_beginning() -> None:
    made = TextSubstitution(b"</body>", b"x")
    assert list(made.feed(b"data: 1\n\n")) == [b"data: 1\n\n"]
    assert list(made.feed(b"some </bo")) == [b"some "]
    assert made.flush() == b""
    assert list(made.feed(b"ok")) == [b"</book"]


def test_at_a_pause_a_pattern_lets_go_of_whole_lines() -> None:
    made = PatternSubstitution(re.compile("z+"), lambda match: "x")
    assert list(made.feed(b"data: zzz\n\ndatz")) == [b""]
    assert made.flush() == b"data: x\n\n"
    assert list(made.feed(b"z: z")) == [b""]
    assert made.finish() == b"datx: x"


@pytest.mark.parametrize(("pattern", "nothing"), [("a*", True), ("", True), ("^", True), ("a", False), ("a*b", False)])
def test_what_finds_nothing_is_known(pattern: str, nothing: bool) -> None:
    assert can_be_nothing(re.compile(pattern)) is nothing
