from __future__ import annotations

from types import SimpleNamespace

import pytest

from edgescript.catalog import Catalogue
from edgescript.http.message import HTTPError, Response


def test_status_and_header_of_the_response(exchange, read):
    answered = exchange()
    answered.response = Response(418, [(b"x", b"1"), (b"x", b"2")])
    names = ("status", "resp.status", "resp.header.X", "resp.header.Y")
    assert [read(name, answered) for name in names] == ["418", "418", "1, 2", ""]


def test_the_error(exchange, read):
    failed = exchange()
    failed.error = HTTPError(404, "no such file")
    names = ("err.status", "err.status_code", "err.status_text", "err.message")
    assert [read(name, failed) for name in names] == ["404", "404", "Not Found", "no such file"]


@pytest.mark.parametrize(
    ("latency", "seconds", "milliseconds"), [(0.0123, "0.012300", "12.300"), (None, "0.000000", "0.000")]
)
def test_the_upstream(exchange, read, latency, seconds, milliseconds):
    proxied = exchange()
    proxied.upstream = SimpleNamespace(address="10.0.0.1:8080", latency=latency)
    names = ("upstream.address", "upstream.latency", "upstream.latency_ms")
    assert [read(name, proxied) for name in names] == ["10.0.0.1:8080", seconds, milliseconds]


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("time.now", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
        ("time.now.unix", r"\d{10}"),
        ("time.now.unix_ms", r"\d{13}"),
        ("time.now.http", r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"),
        ("time.now.common_log", r"\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000"),
        ("time.now.year", r"\d{4}"),
    ],
)
def test_the_time_is_written_in_several_ways(exchange, read, name, pattern):
    import re

    assert re.fullmatch(pattern, read(name, exchange()))


def test_every_placeholder_says_what_it_is_and_gives_the_empty_text_without_a_value(exchange, read):
    catalogue = Catalogue.load()
    for name in catalogue.names("placeholders"):
        placeholder = catalogue.placeholder(name)
        assert placeholder is not None
        assert placeholder.name == name
        assert placeholder.doc
        assert placeholder.read or placeholder.member or placeholder.members
        parts = [f".{part}" for part in placeholder.members or ()]
        parts += [""] if placeholder.read else []
        parts += [f".{placeholder.sample}"] if placeholder.member else []
        for part in parts:
            assert isinstance(read(f"{name}{part}", exchange()), str)


@pytest.mark.parametrize(
    "name",
    [
        "path.x",
        "path.-1",
        "labels.²",
        "labels.9999",
        "resp",
        "resp.body",
        "time",
        "time.then",
        "file.x",
        "header",
        "re",
    ],
)
def test_a_part_that_is_not_there_is_an_error(exchange, read, name):
    from edgescript.declare.scope import KindError

    with pytest.raises(KindError):
        read(name, exchange())
