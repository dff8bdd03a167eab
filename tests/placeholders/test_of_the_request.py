from __future__ import annotations

import uuid
from ipaddress import ip_network

import pytest

from edgescript.http.trust import Trust


@pytest.mark.parametrize(
    ("name", "target", "value"),
    [
        ("method", "/", "GET"),
        ("protocol", "/", "HTTP/1.1"),
        ("scheme", "/", "http"),
        ("host", "/", "example.com"),
        ("remote_ip", "/", "192.0.2.1"),
        ("client_ip", "/", "192.0.2.1"),
        ("remote_port", "/", "40000"),
        ("path", "/a%20b//c/../d", "/a b/d"),
        ("path.0", "/a/b", "a"),
        ("path.1", "/a/b", "b"),
        ("path.2", "/a/b", ""),
        ("path.0", "/", ""),
        ("dir", "/a/b.html", "/a/"),
        ("dir", "/a/", "/a/"),
        ("dir", "/a", "/"),
        ("file", "/a/b.tar.gz", "b.tar.gz"),
        ("file", "/a/", ""),
        ("file.base", "/a/b.tar.gz", "b.tar"),
        ("file.ext", "/a/b.tar.gz", ".gz"),
        ("file.ext", "/a.d/b", ""),
        ("uri", "/a%20b?c=%64", "/a%20b?c=%64"),
        ("uri", "/a?", "/a?"),
        ("query", "/a?c=%64", "c=%64"),
        ("query", "/a", ""),
        ("query.c", "/a?c=%64+e", "d e"),
        ("query.c", "/a?b=1&%63=2&c=3", "2,3"),
        ("query.c", "/a?c", ""),
        ("query.c", "/a", ""),
        ("query.c", "/a?c=%zz%", "%zz%"),
        ("query.a b", "/?a+b=1", None),
        ("query.ä", "/?%C3%A4=1", "1"),
        ("query.c[]", "/?c[]=1", "1"),
        ("labels.0", "/", "com"),
        ("labels.1", "/", "example"),
        ("labels.2", "/", ""),
        ("cookie.a", "/", "1"),
        ("cookie.b", "/", "two words"),
        ("cookie.c", "/", "x=y"),
        ("cookie.d", "/", ""),
        ("header.X-Level", "/", "1, 2"),
        ("header.x-level", "/", "1, 2"),
        ("header.X-None", "/", ""),
        ("env.EDGE_TEST", "/", "from the environment"),
        ("env.EDGE_NONE", "/", ""),
        ("vars.nothing", "/", ""),
        ("re.1", "/", ""),
        ("err.status", "/", ""),
        ("err.message", "/", ""),
        ("status", "/", ""),
        ("resp.header.X", "/", ""),
        ("upstream.address", "/", ""),
        ("upstream.latency", "/", ""),
    ],
)
def test_a_placeholder_reads_the_request(exchange, read, monkeypatch, name, target, value):
    monkeypatch.setenv("EDGE_TEST", "from the environment")
    headers = [(b"cookie", b'a=1; b="two words"'), (b"x-level", b"1"), (b"cookie", b"c=x=y"), (b"x-level", b"2")]
    if value is None:  # a name with a space is no placeholder, and stands for itself
        value = f"{{{name}}}"
    assert read(name, exchange(target, headers=headers)) == value


@pytest.mark.parametrize(
    ("host", "scheme", "hostport", "port"),
    [
        (b"example.com", "http", "example.com", "80"),
        (b"example.com", "https", "example.com", "443"),
        (b"Example.com:8080", "http", "example.com:8080", "8080"),
        (b"[::1]:8080", "http", "[::1]:8080", "8080"),
    ],
)
def test_host_and_port(exchange, read, host, scheme, hostport, port):
    asked = exchange(host=host, scheme=scheme)
    assert (read("hostport", asked), read("port", asked)) == (hostport, port)


def test_the_original_request_is_kept(exchange, read):
    asked = exchange("/a%20b/../c?d=e")
    asked.set_uri(b"/new", b"x=y")
    asked.method = b"POST"
    names = ("uri", "orig_uri", "path", "orig_path", "query", "orig_query", "method", "orig_method")
    assert [read(name, asked) for name in names] == [
        "/new?x=y", "/a%20b/../c?d=e", "/new", "/c", "x=y", "d=e", "POST", "GET",
    ]  # fmt: skip


def test_behind_a_trusted_proxy_the_client_is_another(exchange, read):
    trust = Trust([ip_network("192.0.2.0/24")])
    asked = exchange(headers=[(b"x-forwarded-for", b"198.51.100.7")], trust=trust)
    assert (read("client_ip", asked), read("remote_ip", asked)) == ("198.51.100.7", "192.0.2.1")


def test_the_request_id_stays_the_same(exchange, read):
    asked = exchange()
    assert asked.used_request_id is None
    assert uuid.UUID(read("request_id", asked)) == uuid.UUID(read("uuid", asked))
    assert asked.used_request_id == read("request_id", asked)
    assert read("request_id", exchange()) != asked.request_id


def test_bytes_that_are_no_utf_8_are_not_lost(exchange, read):
    value = read("header.X", exchange(headers=[(b"x", b"\xff")]))
    assert value.encode("utf-8", "surrogateescape") == b"\xff"


def test_captures_and_variables(exchange, read):
    asked = exchange()
    asked.captures = {"1": "one", "name.1": "one", "name.group": "two"}
    asked.variables = {"a": "text", "b": True, "c": 12, "d": None}
    asked.root = "/srv"
    names = ("re.1", "re.name.1", "re.name.group", "re.2", "vars.a", "vars.b", "vars.c", "vars.d", "vars.root")
    assert [read(name, asked) for name in names] == ["one", "one", "two", "", "text", "true", "12", "", "/srv"]
