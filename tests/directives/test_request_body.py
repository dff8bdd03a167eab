from __future__ import annotations

import asyncio

import pytest

from edgescript.http.body import BodyTooLarge, collect


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
