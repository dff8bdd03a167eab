"""Places in a text, and texts after changes, are those that the client means."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types

from edgescript.lsp.document import Document
from edgescript.lsp.positions import Positions

ENCODINGS = ["utf-8", "utf-16", "utf-32"]
encodings = st.sampled_from(ENCODINGS)
#: Line ends, what only looks like one, and characters of one to four bytes.
texts = st.lists(st.sampled_from(["\n", "\r\n", "\r", "\u2028", "\x0c", "\x85", "a", "é", "€", "😀", "\ud800"])).map(
    "".join
)


def places(text: str, encoding: str) -> dict[int, tuple[int, int]]:
    """The line and character of every offset, counted one by one; none between the two characters of a line end."""
    found, line, character = {}, 0, 0
    for offset, sign in enumerate(text):
        if sign == "\n" and text[offset - 1 : offset] == "\r":
            line, character = line + 1, 0
            continue
        found[offset] = (line, character)
        if sign == "\n" or (sign == "\r" and text[offset + 1 : offset + 2] != "\n"):
            line, character = line + 1, 0
        elif encoding == "utf-32":
            character += 1
        else:
            unit = 1 if encoding == "utf-8" else 2
            character += len(sign.encode("utf-8" if unit == 1 else "utf-16-le", "surrogatepass")) // unit
    return found | {len(text): (line, character)}


@settings(deadline=None)
@given(texts, encodings)
def test_every_offset_has_its_place_and_every_place_its_offset(text: str, encoding: str) -> None:
    positions = Positions(text, encoding)
    for offset, (line, character) in places(text, encoding).items():
        assert positions.position(offset) == types.Position(line, character)
        assert positions.offset(types.Position(line, character)) == offset


@settings(deadline=None)
@given(texts, encodings, st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))
def test_a_place_outside_means_one_that_is_inside(text: str, encoding: str, line: int, character: int) -> None:
    offset = Positions(text, encoding).offset(types.Position(line, character))
    (at, unit) = places(text, encoding)[offset]
    if line > at:
        assert offset == len(text)
    else:
        assert at == line
        assert unit <= character


@pytest.mark.parametrize(("encoding", "inside"), [("utf-8", 3), ("utf-16", 2)])
def test_a_place_inside_of_a_character_means_its_beginning(encoding: str, inside: int) -> None:
    assert Positions("a😀b", encoding).offset(types.Position(0, inside)) == 1


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, list[list[types.TextDocumentContentChangeEvent]], list[str], str]:
    """A text, changes of it by messages, the text after each message as it should be, and an encoding."""
    text, encoding = draw(texts), draw(encodings)
    first, messages, expected = text, [], []
    for _ in range(draw(st.integers(1, 6))):
        message: list[types.TextDocumentContentChangeEvent] = []
        for _ in range(draw(st.integers(0, 3))):
            new = draw(texts)
            if draw(st.integers(0, 9)) == 0:
                message.append(types.TextDocumentContentChangeWholeDocument(new))
                text = new
                continue
            known = places(text, encoding)
            start, end = sorted((draw(st.sampled_from(sorted(known))), draw(st.sampled_from(sorted(known)))))
            span = types.Range(types.Position(*known[start]), types.Position(*known[end]))
            message.append(types.TextDocumentContentChangePartial(span, new))
            text = text[:start] + new + text[end:]
        messages.append(message)
        expected.append(text)
    return first, messages, expected, encoding


@settings(deadline=None, max_examples=300)
@given(edits())
def test_after_any_changes_the_text_is_that_of_the_client(
    made: tuple[str, list[list[types.TextDocumentContentChangeEvent]], list[str], str],
) -> None:
    text, messages, expected, encoding = made
    document = Document("file:///nowhere/Edgefile", 0, text, encoding)
    for version, message in enumerate(messages, 1):
        document = document.changed(version, message)
        assert (document.version, document.text) == (version, expected[version - 1])
