from __future__ import annotations

import pytest

from edgescript.catalog import Catalogue
from edgescript.graph.load import load
from edgescript.text.source import Source


def listeners(text):
    graph, problems = load(Source("Edgefile", text), catalogue=Catalogue.load(), environment={}, directory="/nowhere")
    assert graph is not None, problems
    return [(listener.host, listener.port) for listener in graph.listeners]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bind 127.0.0.1", [("127.0.0.1", 8080)]),
        ("bind 127.0.0.1 ::1", [("127.0.0.1", 8080), ("::1", 8080)]),
        ("bind [::1]", [("::1", 8080)]),
        ("bind localhost", [("localhost", 8080)]),
        ("bind unix//run/edge.sock", [("/run/edge.sock", None)]),
        ("", [("", 8080)]),
    ],
)
def test_where_a_site_is_listened_for(line, expected):
    assert listeners(f"http://localhost:8080 {{\n{line}\nrespond\n}}") == expected


@pytest.mark.parametrize(
    "line", ["bind", "bind 127.0.0.1:80", "bind 300.0.0.1", "bind unix/", "bind unix/x", "bind a_b/c"]
)
def test_what_is_no_address_is_a_problem(mistakes, line):
    (found,) = mistakes(f"{line}\nrespond")
    assert found.startswith(("E106", "E107"))
