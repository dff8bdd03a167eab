from __future__ import annotations

import pytest

from edgescript.files.precompressed import order
from edgescript.http.accept import weights

ALL = ("br", "zstd", "gzip")


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        ([], []),
        ([b""], []),
        ([b"gzip"], ["gzip"]),
        ([b"GZIP"], ["gzip"]),
        ([b"x-gzip"], ["gzip"]),
        ([b"gzip, br, zstd"], ["br", "zstd", "gzip"]),
        ([b"gzip", b"br"], ["br", "gzip"]),
        ([b"gzip;q=1.0, br;q=0.5"], ["gzip", "br"]),
        ([b"gzip;q=0"], []),
        ([b"br;q=0, *"], ["zstd", "gzip"]),
        ([b"*"], ["br", "zstd", "gzip"]),
        ([b"*;q=0"], []),
        ([b"identity"], []),
        ([b"identity, br;q=0.9"], []),
        ([b"identity;q=0.5, br;q=0.9, gzip;q=0.1"], ["br"]),
        ([b"deflate"], []),
        ([b"gzip;q=nonsense"], []),
        ([b"gzip;q=2"], []),
        ([b",,gzip ; q=0.8 ,"], ["gzip"]),
    ],
)
def test_codings_are_tried_by_weight_and_then_as_offered(accept_encoding: list[bytes], expected: list[str]) -> None:
    assert order(accept_encoding, ALL) == expected


def test_only_what_is_offered_is_tried() -> None:
    assert order([b"br, gzip"], ("gzip",)) == ["gzip"]
    assert order([b"br, gzip"], ("gzip", "br")) == ["gzip", "br"]


def test_the_first_of_equal_names_counts() -> None:
    assert weights([b"a;q=0.5, a;q=1, b;level=1;q=0.25"]) == {b"a": 0.5, b"b": 0.25}
