from __future__ import annotations

import asyncio

import httpx
import pytest

from edgescript.catalog import Catalogue
from edgescript.declare.entries import Role, directive
from edgescript.graph.load import load
from edgescript.http.body import BodyTooLarge, collect
from edgescript.http.message import Response
from edgescript.text.source import Source


class Stream:
    """A body in pieces, whose length is known or not."""

    def __init__(self, pieces, length=None):
        self.pieces = pieces
        self.length = length
        self.cancelled = False

    def start(self, sink):
        for piece in self.pieces:
            if not self.cancelled:
                sink.write(piece)
        if not self.cancelled:
            sink.end([])

    def cancel(self):
        self.cancelled = True


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"12345", 200),
        (b"123456", 413),
        (Stream([], 5), 200),
        (Stream([], 6), 413),
        (Stream([b"1234567"]), 200),  # not known before it is read
    ],
)
def test_a_length_above_the_limit_is_refused_at_once(site, body, status):
    assert site("request_body {\n max_size 5\n}\nrespond ok")(body=body, method="POST").status == status


@pytest.mark.parametrize(
    ("lines", "limit"),
    [
        ("request_body", 10_000_000),
        ("request_body {\n max_size 1KiB\n}", 1024),
        ("request_body {\n max_size 5\n}\nrequest_body {\n max_size 9\n}", 5),
        ("request_body {\n max_size 9\n}\nrequest_body {\n max_size 5\n}", 5),
        ("request_body /other {\n max_size 9\n}", None),
    ],
)
def test_readers_are_told_the_smallest_limit(site, lines, limit):
    assert site(f"{lines}\nrespond")().exchange.body_limit == limit


def test_a_reader_stops_behind_the_limit(site):
    stream = Stream([b"123", b"456", b"789"])
    exchange = site("request_body {\n max_size 5\n}\nrespond")(body=stream, method="POST").exchange
    with pytest.raises(BodyTooLarge):
        asyncio.run(collect(exchange.body, exchange.body_limit))
    assert stream.cancelled


@directive("read_all", role=Role.TERMINAL)
class ReadAll:
    """Reads the whole body before it answers."""

    def build(self, build):
        async def run(exchange):
            body = await collect(exchange.body, 1_000_000)
            return Response(200, [], b"%d bytes" % len(body))

        return run


@pytest.fixture
def upstream(servers):
    """The port of a server that reads bodies."""
    source = Source("Edgefile", ":80 {\n read_all\n}\n")
    catalogue = Catalogue.load().with_entries(ReadAll)
    graph, problems = load(source, catalogue=catalogue, environment={}, directory=".")
    assert graph is not None, problems
    return servers.start(graph).port


@pytest.mark.parametrize("engine", ["fast", "hypercorn"])
@pytest.mark.parametrize(("size", "status"), [(5, 200), (6, 413), (100_000, 413)])
@pytest.mark.parametrize("chunked", [True, False])
def test_over_a_connection_too_much_is_answered_413(serve_edgefile, upstream, engine, size, status, chunked):
    text = f":80 {{\n request_body {{\n max_size 5\n }}\n proxy 127.0.0.1:{upstream}\n}}"
    server = serve_edgefile(text, engine=engine)
    body = b"x" * size
    answer = httpx.post(server.url, content=iter([body]) if chunked else body)
    assert answer.status_code == status
    assert httpx.post(server.url, content=b"next").text == "4 bytes"
