"""The two grammars without a socket: heads and the chunked coding, values in, values out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgescript.http.chunked import BadChunk, Decoder
from edgescript.http.fields import parse_fields
from edgescript.server.head import CHUNKED, Refusal, check_unfinished, framing


@pytest.mark.parametrize(
    ("block", "minor", "length", "persistent", "expects"),
    [
        (b"", b"1", 0, True, False),
        (b"", b"0", 0, False, False),
        (b"Connection: close", b"1", 0, False, False),
        (b"Connection: keep-alive", b"0", 0, True, False),
        (b"Connection: keep-alive, close", b"0", 0, False, False),
        (b"Connection: TE\r\nconnection: CLOSE", b"1", 0, False, False),
        (b"Content-Length: 12", b"1", 12, True, False),
        (b"Content-Length: 12\r\nExpect: 100-Continue", b"1", 12, True, True),
        (b"Content-Length: 12\r\nExpect: 100-Continue", b"0", 12, False, False),
        (b"Transfer-Encoding: , Chunked", b"1", CHUNKED, True, False),
    ],
)
def test_fields_say_how_the_message_is_framed(
    block: bytes, minor: bytes, length: int, persistent: bool, expects: bool
) -> None:
    assert framing(parse_fields(block), minor) == (length, persistent, expects)


def test_names_are_lower_case_and_values_without_the_white_space_around_them() -> None:
    for _ in range(2):  # read, and remembered
        assert parse_fields(b"A-b:c\r\nX: \t d e\t \r\nEmpty:") == [(b"a-b", b"c"), (b"x", b"d e"), (b"empty", b"")]


@pytest.mark.parametrize(
    "line", [b"", b":", b"a b: c", b"a : c", b" a: c", b"a", b"a: \x01", b"a: b\rc", b"a: b\nc", b"\t: c"]
)
def test_a_malformed_line_is_refused_wherever_it_stands(line: bytes) -> None:
    for block in (line + b"\r\nb: c", b"b: c\r\n" + line + b"\r\nb: c", b"b: c\r\n" + line):
        with pytest.raises(ValueError, match="malformed"):
            parse_fields(block)


GOOD = b"GET /some/path?query HTTP/1.1\r\nHost: a\r\nX: y z\r\n\r\n"


@pytest.mark.parametrize("end", range(len(GOOD)))
def test_no_beginning_of_a_good_head_is_refused(end: int) -> None:
    check_unfinished(GOOD[:end], scanned=0, max_size=1000, max_target=100)


@pytest.mark.parametrize(
    "bad", [b"GET /\n", b"GET /\r\n", b"\x16\x03\x01", b"GET / HTTQ", b"GET\t/", b"G(T", b"GET / HTTP/1.1\r\nA\n"]
)
def test_a_bad_beginning_is_refused_at_once_however_it_is_cut(bad: bytes) -> None:
    def feed() -> None:
        for end in range(1, len(bad) + 1):
            check_unfinished(bad[:end], scanned=end - 1, max_size=1000, max_target=100)

    with pytest.raises(Refusal):
        feed()


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8), st.lists(st.integers(1, 40), max_size=40))
def test_chunks_are_decoded_the_same_however_they_are_cut(pieces: list[bytes], cuts: list[int]) -> None:
    coded = b"".join(b"%x;ext=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    coded += b"0\r\nX-Sum: 1\r\nContent-Length: 4\r\n\r\nNEXT"
    decoder, found, position = Decoder(), b"", 0
    for size in [*cuts, len(coded)]:
        if not decoder.done:
            found += b"".join(decoder.feed(coded[position : position + size]))
            position += size
    assert decoder.done
    assert found == b"".join(pieces)
    assert decoder.trailers == [(b"x-sum", b"1")]
    assert decoder.rest + coded[position:] == b"NEXT"


@given(st.binary(max_size=100))
def test_any_bytes_are_chunks_or_refused(data: bytes) -> None:
    try:
        Decoder().feed(data)
    except BadChunk:
        return


@pytest.mark.parametrize(
    "data",
    [
        b"1;" + b"x" * 5000,
        b"1;" + b"x" * 5000 + b"\r\na\r\n",
        (b"1;" + b"x" * 1000 + b"\r\na\r\n") * 100,
        b"0\r\n" + b"X: y\r\n" * 5000,
    ],
)
def test_extensions_and_trailers_are_bounded(data: bytes) -> None:
    with pytest.raises(BadChunk):
        Decoder().feed(data)
