from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgescript.files.candidates import POLICIES, normal, present


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a", "/a"),
        ("a", "/a"),
        ("/a/", "/a/"),
        ("//a///b", "/a/b"),
        ("/a/./b/../c", "/a/c"),
        ("/../../etc/passwd", "/etc/passwd"),
        ("..", "/"),
        ("", "/"),
        ("/a/..", "/"),
        ("/a/b/..", "/a/"),
        ("/a\\b", None),
        ("/a\0b", None),
    ],
)
def test_a_candidate_never_leaves_the_root(path: str, expected: str | None) -> None:
    assert normal(path) == expected


@pytest.fixture
def root(tmp_path: Path) -> str:
    (tmp_path / "folder").mkdir()
    for number, (name, size) in enumerate([("small", 1), ("large", 100), ("new", 10)]):
        (tmp_path / name).write_bytes(b"x" * size)
        os.utime(tmp_path / name, (number, number))
    return str(tmp_path)


def test_a_slash_at_the_end_means_a_folder(root: str) -> None:
    tried = ["/folder", "/small/", "/missing", "/\ud800", "/" + "x" * 300, "/folder/", "/small"]
    assert [(one.number, one.path) for one in present(root, tried)] == [(5, "/folder/"), (6, "/small")]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("first_exist", "/large"),
        ("smallest_size", "/small"),
        ("largest_size", "/large"),
        ("most_recently_modified", "/new"),
    ],
)
def test_a_policy_takes_one_of_those_that_are_there(root: str, policy: str, expected: str) -> None:
    chosen = POLICIES[policy](present(root, ["/missing", "/large", "/small", "/new"]))
    assert chosen is not None
    assert chosen.path == expected


@pytest.mark.parametrize("policy", list(POLICIES))
def test_no_policy_makes_something_of_nothing(root: str, policy: str) -> None:
    assert POLICIES[policy](present(root, ["/missing"])) is None
