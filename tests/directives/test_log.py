from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from edgescript.catalog import Catalogue
from edgescript.graph.load import load
from edgescript.http.exchange import Exchange
from edgescript.server.serve import serve
from edgescript.text.source import Source


@pytest.fixture
def logged(tmp_path):
    """The lines that requests for some paths leave in `access.log`."""

    def lines(directives, *targets):
        source = Source("Edgefile", f":80 {{\n{directives}\n}}\n")
        graph, problems = load(source, catalogue=Catalogue.load(), environment={}, directory=str(tmp_path))
        assert graph is not None, problems
        for target in targets:
            exchange = Exchange(Client(), b"GET", target.encode(), "1.1", [(b"host", b"a")], b"", 0.0)
            serve(exchange, graph.listeners[0])
            for ending in exchange.endings or ():
                ending(exchange)
        asyncio.run(graph.close())
        path = tmp_path / "access.log"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    return lines


class Client:
    remote_ip = "192.0.2.1"
    trust = None


def test_every_request_leaves_a_line(logged):
    lines = logged("log {\n output file access.log\n}\nrespond /x 204\nerror 403 secret", "/x", "/y?z=1")
    assert [(line["uri"], line["status"], line.get("error")) for line in lines] == [
        ("/x", 204, None),
        ("/y?z=1", 403, "secret"),
    ]


def test_with_a_matcher_only_some_do(logged):
    lines = logged("log /api/* {\n output file access.log\n format json\n}\nrespond", "/x", "/api/y")
    assert [line["uri"] for line in lines] == ["/api/y"]


def test_a_directive_that_logs_twice_writes_whole_lines(logged):
    text = "log {\n output file access.log\n}\nroute /x {\n log {\n  output file access.log\n }\n}\nrespond"
    assert len(logged(text, "/x", "/y")) == 3


def test_nothing_is_written_to_nowhere(logged):
    assert logged("log {\n output discard\n}\nrespond", "/") == []


def test_the_request_id_is_there_once_something_uses_it(logged):
    lines = logged("log {\n output file access.log\n}\nrespond /id {request_id}\nrespond", "/id", "/x")
    assert ["request_id" in line for line in lines] == [True, False]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("output file", "E115 a file needs a path"),
        ("output stdout /x", "E115 stdout has no path"),
        ("output syslog", "E106"),
        ("format console", "E106"),
    ],
)
def test_mistakes(mistakes, line, problem):
    (found,) = mistakes(f"log {{\n{line}\n}}\nrespond")
    assert found.startswith(problem)


@pytest.mark.parametrize("engine", ["fast", "hypercorn"])
def test_a_server_writes_what_it_sent(serve_edgefile, tmp_path, engine):
    server = serve_edgefile(":80 {\n log {\n output file access.log\n }\n respond /x hello\n}", engine=engine)
    assert httpx.get(f"{server.url}/x", headers={"User-Agent": "a test"}).text == "hello"
    assert httpx.get(f"{server.url}/y").status_code == 404
    server.stop()
    lines = [json.loads(line) for line in (tmp_path / "access.log").read_text().splitlines()]
    assert [(line["uri"], line["status"], line["size"]) for line in lines] == [
        ("/x", 200, 5),
        ("/y", 404, 14),
    ]
    assert lines[0]["user_agent"] == "a test"
    assert all(0 < line["duration"] < 60 for line in lines)


def test_a_request_without_an_answer_leaves_a_line_too(serve_edgefile, tmp_path):
    server = serve_edgefile(":80 {\n log {\n output file access.log\n }\n abort\n}")
    with pytest.raises(httpx.TransportError):
        httpx.get(server.url)
    server.stop()
    assert json.loads((tmp_path / "access.log").read_text())["status"] == 0
