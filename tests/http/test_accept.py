from __future__ import annotations

import pytest

from edgescript.http.accept import codings, refuses_identity, weights

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
    assert codings(accept_encoding, ALL) == expected


def test_only_what_is_offered_is_tried() -> None:
    assert codings([b"br, gzip"], ("gzip",)) == ["gzip"]
    assert codings([b"br, gzip"], ("gzip", "br")) == ["gzip", "br"]


def test_the_first_of_equal_names_counts() -> None:
    assert weights([b"a;q=0.5, a;q=1, b;level=1;q=0.25"]) == {b"a": 0.5, b"b": 0.25}


def test_the_server_may_prefer_its_own_order_among_what_the_client_takes() -> None:
    assert codings([b"br;q=0.2, gzip, zstd;q=0"], ALL, by_client=False) == ["br", "gzip"]
    assert codings([b"identity, br;q=0.2, gzip"], ALL, by_client=False) == ["gzip"]


@pytest.mark.parametrize(
    ("accept_encoding", "refused"),
    [
        ([], False),
        ([b""], False),
        ([b"gzip"], False),
        ([b"gzip, identity;q=0"], True),
        ([b"gzip, *;q=0"], True),
        ([b"gzip, *;q=0, identity;q=0.1"], False),
    ],
)
def test_the_plain_content_is_refused_only_by_name_or_by_the_star(accept_encoding: list[bytes], refused: bool) -> None:
    assert refuses_identity(accept_encoding) is refused
