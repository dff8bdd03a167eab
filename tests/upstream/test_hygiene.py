"""Which fields pass, and which are written: values in, values out."""

from __future__ import annotations

import pytest

from edgescript.upstream import hygiene
from edgescript.upstream.endpoint import Endpoint


def test_the_fields_of_a_request_are_parted_in_the_order_they_came() -> None:
    headers = [(b"host", b"a"), (b"accept", b"x"), (b"connection", b"keep-alive"), (b"te", b"gzip"), (b"x-a", b"1")]
    passing, special = hygiene.split_request(headers)
    assert passing == [(b"accept", b"x"), (b"x-a", b"1")]
    assert special == [(b"host", b"a"), (b"te", b"gzip")]


@pytest.mark.parametrize(
    ("connection", "left"),
    [
        (b"close", [b"a", b"b"]),
        (b"A", [b"b"]),
        (b" a ,, B", []),
        (b"keep-alive, upgrade", [b"a", b"b"]),
    ],
)
def test_connection_names_fields_that_end_here(connection: bytes, left: list[bytes]) -> None:
    assert [name for name, _ in hygiene.without_named([(b"a", b"1"), (b"b", b"2")], connection)] == left


@pytest.mark.parametrize(
    ("fields", "protocol"),
    [
        ([(b"connection", b"upgrade"), (b"upgrade", b"websocket")], b"websocket"),
        ([(b"connection", b"keep-alive, Upgrade"), (b"upgrade", b"WebSocket")], b"WebSocket"),
        ([(b"upgrade", b"websocket")], None),
        ([(b"connection", b"upgrade")], None),
        ([(b"connection", b"upgrade"), (b"upgrade", b"h2c")], None),
        ([(b"connection", b"upgrade"), (b"upgrade", b"websocket, H2C")], None),
        ([(b"connection", b"upgrade"), (b"upgrade", b"a"), (b"upgrade", b"b")], None),
    ],
)
def test_another_protocol_is_asked_for_by_two_fields(fields: list[tuple[bytes, bytes]], protocol: bytes | None) -> None:
    assert hygiene.upgrade_protocol(fields) == protocol


@pytest.mark.parametrize(
    ("ip", "host", "value"),
    [
        ("192.0.2.1", b"example.com", b"for=192.0.2.1;host=example.com;proto=http"),
        ("2001:db8::1", b"example.com:80", b'for="[2001:db8::1]";host="example.com:80";proto=http'),
        ("", b'a"b', b'for=unknown;host="a\\"b";proto=http'),
        ("192.0.2.1", b"", b"for=192.0.2.1;proto=http"),
    ],
)
def test_forwarded_quotes_what_is_no_token(ip: str, host: bytes, value: bytes) -> None:
    assert hygiene.forwarded_field([], ip, "http", host) == value


@pytest.mark.parametrize(
    ("trailers", "data"),
    [
        ([], b"0\r\n\r\n"),
        ([(b"x", b"1"), (b"content-length", b"5"), (b"x-forwarded-for", b"::1")], b"0\r\nx: 1\r\n\r\n"),
    ],
)
def test_a_chunked_body_ends_with_its_trailers(trailers: list[tuple[bytes, bytes]], data: bytes) -> None:
    assert hygiene.last_chunk(trailers) == data


@pytest.mark.parametrize(
    ("endpoint", "address", "origin", "authority"),
    [
        (Endpoint("http", "10.0.0.1", 8080), "10.0.0.1:8080", "http://10.0.0.1:8080", "10.0.0.1:8080"),
        (Endpoint("http", "a.example.com", 80), "a.example.com:80", "http://a.example.com", "a.example.com"),
        (Endpoint("https", "::1", 443), "[::1]:443", "https://[::1]", "[::1]"),
        (Endpoint("http", "", 80, path="/run/a.sock"), "unix//run/a.sock", "http+unix//run/a.sock", "localhost"),
    ],
)
def test_an_endpoint_has_a_name_for_people_and_one_for_host(
    endpoint: Endpoint, address: str, origin: str, authority: str
) -> None:
    assert (endpoint.address, endpoint.origin, endpoint.authority) == (address, origin, authority)
