"""What a site address means, and what is said where it means nothing that can be served."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgescript.graph.addresses import AddressError, SiteAddress, parse_address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("http://example.com", "example.com", 80),
        ("HTTP://Example.COM.", "example.com", 80),
        ("http://example.com:8080", "example.com", 8080),
        ("http://*.example.com", "*.example.com", 80),
        ("http://a.*.example.com:81", "a.*.example.com", 81),
        ("http://", "", 80),
        ("http://:8080", "", 8080),
        (":8080", "", 8080),
        (":80", "", 80),
        (":0", "", 0),
        ("example.com:80", "example.com", 80),
        ("http://127.0.0.1:9000", "127.0.0.1", 9000),
        ("http://[::1]:9000", "[::1]", 9000),
        ("http://[0:0:0:0:0:0:0:1]", "[::1]", 80),
        ("http://my_host", "my_host", 80),
    ],
)
def test_an_address_means_a_host_and_a_port(text: str, host: str, port: int) -> None:
    assert parse_address(text) == SiteAddress(host, port)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("example.com", "http://example.com"),
        ("localhost", "http://localhost"),
        ("https://example.com", "http://example.com"),
        ("https://example.com:8443", "http://example.com:8443"),
        ("example.com:8080", "http://example.com:8080"),
        ("localhost:8080", "http://localhost:8080"),
        ("example.com:443", "http://example.com"),
        ("*.example.com", "http://*.example.com"),
        (":443", ":80"),
        ("192.0.2.1", "http://192.0.2.1"),
    ],
)
def test_an_address_that_means_https_is_a_problem_that_names_the_plain_one(text: str, hint: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_address(text)
    assert caught.value.code == "E203"
    assert f"`{hint}`" in (caught.value.hint or "")


@pytest.mark.parametrize("text", ["tcp://:5432", "udp://:53"])
def test_layer_4_sites_are_not_served(text: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_address(text)
    assert caught.value.code == "E203"
    assert text[caught.value.start : caught.value.end] in ("tcp", "udp")


@pytest.mark.parametrize(
    ("text", "marked", "message"),
    [
        ("http://example.com/api", "/api", "a site address has no path"),
        ("http://example.com/", "/", "a site address has no path"),
        ("ftp://example.com", "ftp", "unknown scheme"),
        ("http://exam*ple.com", "exam*ple.com", "one whole label"),
        ("http://example..com", "example..com", "empty label"),
        ("http://a b", "a b", "cannot be a label"),
        ("http://user@example.com", "user@example.com", "cannot be a label"),
        ("http://example.com:99999", "99999", "a port is a number"),
        ("http://example.com:x", "x", "a port is a number"),
        ("http://example.com:", "", "a port is a number"),
        ("http://[::g]", "[::g]", "no IPv6 address"),
        ("http://::1", "::1", "a port is a number"),
        ("http://bücher.example", "bücher.example", "ASCII"),
        ("", "", "needs a host or a port"),
    ],
)
def test_a_malformed_address_is_marked_where_it_is_wrong(text: str, marked: str, message: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_address(text)
    error = caught.value
    assert error.code == "E113"
    assert message in error.message
    assert text[error.start : error.end] == marked or marked.endswith(text[error.start : error.end])


def test_a_path_in_an_address_is_answered_with_the_matcher_to_write() -> None:
    with pytest.raises(AddressError) as caught:
        parse_address("http://example.com/api/*")
    assert caught.value.hint == "name the site `http://example.com` and put its directives into `handle /api/* { … }`"


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_a_problem_inside_the_text(text: str) -> None:
    start, end, port = 0, 0, 0
    try:
        port = parse_address(text).port
    except AddressError as error:
        start, end = error.start, error.end
    assert 0 <= start <= end <= len(text)
    assert 0 <= port <= 65535
