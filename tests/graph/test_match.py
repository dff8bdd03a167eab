"""Hosts and paths are found by the rule that is most specific, or was written first."""

from __future__ import annotations

import random

import pytest

from edgescript.graph.match import Alternative, HostTable, PathIndex, chooser
from edgescript.graph.patterns import covers, path_test, wildcard


def table(*names: str) -> HostTable[str]:
    return HostTable((name, name or "everything") for name in names)


@pytest.mark.parametrize(
    ("names", "host", "found"),
    [
        (["a.example"], "a.example", "a.example"),
        (["a.example"], "b.example", None),
        (["a.example", ""], "b.example", "everything"),
        (["*.example"], "b.example", "*.example"),
        (["*.example"], "example", None),
        (["*.example"], "a.b.example", None),
        (["*.b.example", "*.example"], "a.b.example", "*.b.example"),
        (["*.*.example", "*.b.example"], "a.b.example", "*.b.example"),
        (["*.*.example", "*.b.example"], "a.c.example", "*.*.example"),
        (["a.*.example", "*.b.example"], "a.b.example", "*.b.example"),
        (["a.*.example"], "a.x.example", "a.*.example"),
        (["", "*.example", "a.example"], "a.example", "a.example"),
        (["", "*.example", "a.example"], "", "everything"),
        (["[::1]"], "[::1]", "[::1]"),
        (["*.example"], "..example", None),
    ],
)
def test_the_most_specific_host_wins(names: list[str], host: str, found: str | None) -> None:
    hosts = table(*names)
    assert hosts.find(host) == found
    assert hosts.name_of(host) == (None if found is None else "" if found == "everything" else found)


def test_of_two_equal_names_the_first_counts() -> None:
    assert HostTable([("a", 1), ("a", 2), ("", 3), ("", 4)]).find("a") == 1
    assert HostTable([("a", 1), ("", 3), ("", 4)]).find("b") == 3
    assert HostTable([("*.a", 1), ("*.a", 2)]).find("x.a") == 1


def test_all_names_of_a_table_can_be_listed() -> None:
    assert list(table("", "*.a", "b").items()) == [("b", "b"), ("*.a", "*.a"), ("", "everything")]


PATTERNS = [
    # pattern, fits, does not fit
    ("/api", ["/api", "/API"], ["/api/", "/ap", "/apis", "/x/api"]),
    ("/api/*", ["/api/", "/api/x", "/Api/x/y"], ["/api", "/apis/"]),
    ("/api*", ["/api", "/apis", "/api/x"], ["/ap"]),
    ("*.php", ["/x.php", "/a/b.PHP", ".php"], ["/x.php5", "/php"]),
    ("*/admin/*", ["/admin/", "/x/admin/y"], ["/admin", "/x/administrator/"]),
    ("/a/*/c", ["/a/b/c", "/a//c"], ["/a/b/b/c", "/a/b/c/d"]),
    ("/a/*/c/*", ["/a/b/c/", "/a/b/c/d/e"], ["/a/b/b/c/d", "/a/b/c"]),
    ("*/c/*.js", ["/a/b/c/d.js", "/c/x.js"], ["/c/d/x.js", "/c/x.jsx"]),
    ("*", ["/", "/x", "*"], []),
    ("/*", ["/", "/x/y"], ["*"]),
    ("/ünï", ["/ünï", "/ÜNÏ"], ["/uni"]),
    ("/a.b", ["/a.b"], ["/axb"]),
    ("/[a]*?x", ["/[a]b?x"], ["/aax"]),
]


@pytest.mark.parametrize(("pattern", "fitting", "others"), PATTERNS)
def test_a_path_pattern(pattern: str, fitting: list[str], others: list[str]) -> None:
    for patterns in ([pattern], [pattern, "/no", "*.no", "/no/*"], [pattern, "*no*"]):
        test = path_test(patterns)
        assert [path for path in fitting if not test(_at(path))] == []
        assert [path for path in others if test(_at(path))] == []


class _At:
    def __init__(self, path: str) -> None:
        self.path = path


def _at(path: str):  # type: ignore[no-untyped-def]
    return _At(path)


def test_the_index_gives_what_testing_in_turn_gives() -> None:
    chance = random.Random(7)
    letters = ["/a", "/b", "/ab", "/a/b", "/b/a", "/a/b/a", "/x.js", "/a/x.js"]

    def pattern() -> str:
        return chance.choice([*(letter + tail for letter in letters for tail in ("", "*", "/*")), "*.js", "*b*"])

    for _ in range(300):
        alternatives = [[pattern() for _ in range(chance.randint(1, 2))] for _ in range(chance.randint(1, 6))]
        index = PathIndex(list(enumerate(alternatives)), len(alternatives))
        for path in [*letters, "/", "/a/b/c", "/A", "/none"]:
            tests = [path_test(patterns) for patterns in alternatives]
            first = next((number for number, test in enumerate(tests) if test(_at(path))), len(alternatives))
            assert index.first(path) == first, (alternatives, path)


@pytest.mark.parametrize("count", [1, 2, 3, 10])
def test_a_chooser_takes_the_first_alternative_that_matches(count: int) -> None:
    paths = [Alternative(path_test([f"/r{n}/*"]), (f"/r{n}/*",), n) for n in range(count)]
    choose = chooser(paths, 99)
    assert [choose(_at(f"/r{n}/x")) for n in range(count)] == list(range(count))
    assert choose(_at("/none")) == 99


def test_what_is_no_path_keeps_its_place_among_paths() -> None:
    def is_long(exchange: _At) -> bool:
        return len(exchange.path) > 5

    alternatives = [
        Alternative(path_test(["/a*"]), ("/a*",), 10),
        Alternative(is_long, None, 20),  # type: ignore[arg-type]
        Alternative(path_test(["/b*"]), ("/b*",), 30),
        Alternative(path_test(["/c*"]), ("/c*",), 40),
        Alternative(None, None, 50),
        Alternative(path_test(["/d*"]), ("/d*",), 60),
    ]
    choose = chooser(alternatives, 99)
    found = [choose(_at(path)) for path in ("/a-long-one", "/b-long-one", "/b", "/c", "/d", "/")]
    assert found == [10, 20, 30, 40, 50, 50]


@pytest.mark.parametrize(
    ("wide", "narrow", "is_covered"),
    [
        ("/a", "/a", True),
        ("/a", "/A", True),
        ("/a/*", "/a/b", True),
        ("/a/*", "/a", False),
        ("/a/*", "/a/b/*", True),
        ("/a/b/*", "/a/*", False),
        ("/a*", "/a/*", True),
        ("/a/*", "/a/*/c", True),
        ("/a/*", "*/c", False),
        ("*", "*.php", True),
        ("*.php", "/x.php", True),
        ("*.php", "*x.php", True),
        ("*x.php", "*.php", False),
        ("*x*", "/x/*", True),
        ("*x*", "/y/*", False),
        ("/a/*/c", "/a/b/c", True),
        ("/a/*/c", "/a/*/c", True),
    ],
)
def test_a_pattern_covers_another_only_where_that_is_certain(wide: str, narrow: str, is_covered: bool) -> None:
    assert covers(wide, narrow) is is_covered


@pytest.mark.parametrize(
    ("pattern", "fitting", "others"),
    [
        ("x", ["x"], ["X", "xx"]),
        ("x*", ["x", "xy"], ["yx"]),
        ("*x", ["x", "yx"], ["xy"]),
        ("*x*", ["x", "axb"], ["ab"]),
        ("*", ["", "x"], []),
        ("a*b", ["a*b"], ["axb"]),
        ("", [""], ["x"]),
    ],
)
def test_a_wildcard_stands_at_the_ends_only(pattern: str, fitting: list[str], others: list[str]) -> None:
    assert all(map(wildcard(pattern), fitting))
    assert not any(map(wildcard(pattern), others))
    assert all(map(wildcard(pattern.encode()), [text.encode() for text in fitting]))
