"""Header operations: fields before, lines as written, fields after."""

from __future__ import annotations

import re
from typing import Any

import pytest

from edgescript.http.edit import Mode, compile_operations, operation

BEFORE = [(b"x-one", b"1"), (b"x-two", b"2"), (b"x-one", b"11"), (b"location", b"http://a.internal/x")]


@pytest.mark.parametrize(
    ("lines", "after"),
    [
        ([("X-Two", "new")], [BEFORE[0], BEFORE[2], BEFORE[3], (b"x-two", b"new")]),
        ([("X-New", "v")], [*BEFORE, (b"x-new", b"v")]),
        ([("+X-Two", "22")], [*BEFORE, (b"x-two", b"22")]),
        ([("-X-One",)], [BEFORE[1], BEFORE[3]]),
        ([("-X-*",)], [BEFORE[3]]),
        ([("-*-two",)], [BEFORE[0], BEFORE[2], BEFORE[3]]),
        ([("-*cat*",)], BEFORE[:3]),
        ([("-*",)], []),
        ([("?X-Two", "no")], BEFORE),
        ([("?X-New", "yes")], [*BEFORE, (b"x-new", b"yes")]),
        ([("Location", r"^http://([a-z.]+)/", "https://$1/")], [*BEFORE[:3], (b"location", b"https://a.internal/x")]),
        ([("Location", r"^(?P<s>http):", "${s}s:$$")], [*BEFORE[:3], (b"location", b"https:$//a.internal/x")]),
        ([("*", "1", "9$7")], [(b"x-one", b"9"), BEFORE[1], (b"x-one", b"99"), BEFORE[3]]),
        ([("-X-*",), ("X-One", "only")], [BEFORE[3], (b"x-one", b"only")]),
        ([("X-New", "a\r\nSet-Cookie: x\0")], [*BEFORE, (b"x-new", b"a  Set-Cookie: x")]),
        ([("X-New", lambda exchange: "é\n")], [*BEFORE, (b"x-new", "é".encode())]),
        ([("X-New", "")], [*BEFORE, (b"x-new", b"")]),
    ],
)
def test_an_operation_changes_the_fields(lines: list[tuple[Any, ...]], after: list[tuple[bytes, bytes]]) -> None:
    headers = list(BEFORE)
    edit = compile_operations([operation(*line) for line in lines])
    assert edit is not None
    edit(headers, None)  # type: ignore[arg-type]  # no operation here looks at the exchange
    assert headers == after


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (("X Y", "v"), '"X Y" is no name of a header field'),
        (("", "v"), '"" is no name of a header field'),
        (("X-*", "v"), "no name of a header field"),
        (("-X-*-Y",), "may stand at its beginning and end"),
        (("-",), "is no name"),
        (("X-One",), 'write "-X-One" to take the field away'),
        (("-X-One", "v"), "has no value"),
        (("+X-One", "a", "b"), "do not go together"),
        (("Content-Length", "7"), "is written by the server itself"),
        (("+Transfer-Encoding", "chunked"), "is written by the server itself"),
        (("Connection", "a", "b"), "is written by the server itself"),
        (("X-One", "(", "b"), "the regular expression is malformed"),
        (("X-One", lambda exchange: "a", "b"), "cannot have placeholders"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused(line: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        operation(*line)


def test_a_deferred_operation_is_marked() -> None:
    made = operation(">X-One", "v")
    assert (made.mode, made.name, made.deferred) == (Mode.SET, b"x-one", True)


def test_no_operations_make_no_function() -> None:
    assert compile_operations([]) is None
