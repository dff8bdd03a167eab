"""What is coded is decoded to itself, whatever the pieces; malformed and hostile bodies end in BodyBroken."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from edgescript.bodies.codings import CODINGS, named
from edgescript.bodies.transform import STEP
from edgescript.http.body import BodyBroken

ALL = sorted(CODINGS)
READERS = {"gzip": gzip.decompress, "br": brotli.decompress, "zstd": zstd.decompress, "deflate": zlib.decompress}
WRITERS = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstd.compress, "deflate": zlib.compress}


def encoded(name: str, pieces: list[bytes], *, level: int | None = None, flushed: bool = False) -> bytes:
    coding = CODINGS[name]
    encoder = coding.encoder(coding.default if level is None else level)
    made = []
    for piece in pieces:
        made += encoder.feed(piece)
        if flushed:
            made.append(encoder.flush())
    return b"".join([*made, encoder.finish()])


def decoded(name: str, pieces: list[bytes]) -> bytes:
    decoder = CODINGS[name].decoder()
    made = [out for piece in pieces for out in decoder.feed(piece)]
    return b"".join([*made, decoder.finish()])


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=40, deadline=None)
@given(pieces=st.lists(st.binary(max_size=300), max_size=8), flushed=st.booleans())
def test_the_field_s_own_library_reads_what_is_written(name: str, pieces: list[bytes], flushed: bool) -> None:
    assert READERS[name](encoded(name, pieces, flushed=flushed)) == b"".join(pieces)


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=2000), size=st.integers(1, 700))
def test_what_the_field_s_own_library_writes_is_read(name: str, data: bytes, size: int) -> None:
    assert decoded(name, cut(WRITERS[name](data * 20), size)) == data * 20


@pytest.mark.parametrize("name", ALL)
def test_every_level_that_is_offered_works(name: str) -> None:
    data = b"a line of text, and another\n" * 20_000
    sizes = [len(encoded(name, cut(data, STEP), level=level)) for level in CODINGS[name].levels]
    assert max(sizes) < len(data) / 50
    assert CODINGS[name].default in CODINGS[name].levels


@pytest.mark.parametrize("name", ALL)
def test_after_a_flush_all_that_was_fed_can_be_read(name: str) -> None:
    encoder, decoder = CODINGS[name].encoder(CODINGS[name].default), CODINGS[name].decoder()
    for event in (b"data: one\n\n", b"data: two\n\n"):
        sent = b"".join([*encoder.feed(event), encoder.flush()])
        assert b"".join(decoder.feed(sent)) == event


@pytest.mark.parametrize("name", ALL)
def test_a_long_body_is_decoded_in_steps(name: str) -> None:
    small = WRITERS[name](bytes(10_000_000))
    pieces = [piece for part in cut(small, STEP) for piece in CODINGS[name].decoder().feed(part)]
    assert max(map(len, pieces)) <= 2 * STEP
    assert sum(map(len, pieces)) == 10_000_000


@pytest.mark.parametrize("name", ["br", "zstd"])
def test_a_bomb_is_given_up(name: str) -> None:
    bomb = WRITERS[name](bytes(100_000_000))
    decoder = CODINGS[name].decoder()
    pieces = (piece for part in cut(bomb, STEP) for piece in decoder.feed(part))
    given_out = []
    with pytest.raises(BodyBroken, match="became too large"):
        given_out.extend(map(len, pieces))
    assert sum(given_out) < 20_000_000


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("end", [-1, -5, 10, 1])
def test_a_body_that_ends_early_is_broken(name: str, end: int) -> None:
    data = WRITERS[name](b"text that is coded and cut off " * 100)
    with pytest.raises(BodyBroken):
        decoded(name, [data[:end]])


@pytest.mark.parametrize("name", ["gzip", "br", "zstd"])
@settings(max_examples=60, deadline=None)
@given(data=st.binary(min_size=1, max_size=200), size=st.integers(1, 200))
def test_garbage_is_broken_or_is_what_the_library_says(name: str, data: bytes, size: int) -> None:
    try:
        found = decoded(name, cut(data, size))
    except BodyBroken:
        return
    assert READERS[name](data) == found


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_several_one_behind_the_other_are_one(name: str) -> None:
    data = WRITERS[name](b"one ") + WRITERS[name](b"two")
    assert decoded(name, [data]) == decoded(name, cut(data, 1)) == b"one two"


def test_deflate_is_read_with_and_without_the_head_of_zlib() -> None:
    raw = zlib.compressobj(wbits=-15)
    without = raw.compress(b"as some servers send it") + raw.flush()
    assert decoded("deflate", cut(without, 3)) == b"as some servers send it"
    with pytest.raises(BodyBroken):
        decoded("deflate", [zlib.compress(b"x") + b"behind the end"])


def test_a_window_larger_than_the_web_allows_is_refused() -> None:
    options = {zstd.CompressionParameter.compression_level: 19, zstd.CompressionParameter.window_log: 27}
    compressor = zstd.ZstdCompressor(options=options)
    data = compressor.compress(b"x" * 100_000) + compressor.flush()
    with pytest.raises(BodyBroken):
        decoded("zstd", [data])


def test_names_are_those_of_the_field() -> None:
    assert named(b"GZIP") is named(b"x-gzip") is CODINGS["gzip"]
    assert named(b"compress") is None
