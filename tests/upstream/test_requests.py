"""What an origin is sent."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def sent(proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]) -> Callable[..., Any]:
    """`sent("option value", …, method="GET", fields=b"", body=b"")`: (request line, fields, body) at the origin."""

    def asked(*options: str, before: str = "", **request: Any) -> tuple[bytes, dict[bytes, bytes], bytes]:
        bodies = []

        def behave(connection: Any, number: int) -> None:
            bodies.append(connection.read_request()[1])
            connection.send(EMPTY)
            connection.wait_for_end()

        made = origin(behave)
        answer = ask(proxy_to(made.address, *options), **request)
        assert answer.startswith(b"HTTP/1.1 200"), answer
        line, *lines = made.heads[0].split(b"\r\n")[:-2]
        return line, dict(field.split(b": ", 1) for field in lines), bodies[0]

    return asked


def test_a_request_passes_with_what_the_gateway_knows(sent: Callable[..., Any]) -> None:
    line, fields, body = sent(target="/a%2Fb/../c?x=%20&y", fields=b"Accept: */*\r\n")
    assert line == b"GET /a%2Fb/../c?x=%20&y HTTP/1.1"
    assert fields == {
        b"host": b"shop.example.com",
        b"accept": b"*/*",
        b"x-forwarded-for": b"127.0.0.1",
        b"x-forwarded-proto": b"http",
        b"x-forwarded-host": b"shop.example.com",
        b"via": b"1.1 edgescript",
    }
    assert body == b""


def test_what_an_unknown_client_says_about_itself_is_dropped(sent: Callable[..., Any]) -> None:
    fields = (
        b"X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: a\r\nForwarded: for=1.2.3.4\r\n"
    )
    _, given, _ = sent(fields=fields)
    assert given[b"x-forwarded-for"] == b"127.0.0.1"
    assert given[b"x-forwarded-proto"] == b"http"
    assert given[b"x-forwarded-host"] == b"shop.example.com"
    assert b"forwarded" not in given


def test_a_trusted_proxy_is_believed(serve_edgefile: Callable[..., Any], origin: Callable[..., Any], ask: Any) -> None:
    made = origin(EMPTY)
    text = f"{{\ntrusted_proxies 127.0.0.0/8\n}}\n:80 {{\nproxy {made.address} {{\nforwarded\n}}\n}}"
    fields = b"X-Forwarded-For: 1.2.3.4, 5.6.7.8\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: a\r\n"
    fields += b"Forwarded: for=1.2.3.4\r\n"
    ask(serve_edgefile(text), fields=fields)
    head = made.heads[0]
    assert b"\r\nx-forwarded-for: 1.2.3.4, 5.6.7.8, 127.0.0.1\r\n" in head
    assert b"\r\nx-forwarded-proto: https\r\nx-forwarded-host: a\r\n" in head
    assert b"\r\nforwarded: for=1.2.3.4, for=127.0.0.1;host=shop.example.com;proto=http\r\n" in head


def test_fields_between_neighbours_end_at_the_gateway(sent: Callable[..., Any]) -> None:
    fields = (
        b"Connection: X-Private\r\nX-Private: 1\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nProxy-Authorization: Basic x\r\n"
        b"TE: gzip, trailers\r\nUpgrade: websocket\r\nX-Public: 2\r\n"
    )
    _, given, _ = sent("via off", fields=fields)
    kept = {b"host", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-public", b"te"}
    assert given.keys() == kept
    assert given[b"te"] == b"trailers"


def test_connection_cannot_take_away_what_the_gateway_says(sent: Callable[..., Any]) -> None:
    _, given, _ = sent(fields=b"Connection: x-forwarded-for, host, x-forwarded-proto, via\r\n")
    assert given.keys() >= {b"host", b"x-forwarded-for", b"x-forwarded-proto", b"via"}


@pytest.mark.parametrize(
    ("method", "fields", "body", "framing"),
    [
        ("POST", b"Content-Length: 5\r\n", b"hello", (b"content-length", b"5")),
        ("POST", b"Content-Length: 0\r\n", b"", (b"content-length", b"0")),
        ("DELETE", b"Content-Length: 5\r\n", b"hello", (b"content-length", b"5")),
        ("GET", b"Content-Length: 5\r\n", b"hello", (b"content-length", b"5")),
        ("PUT", b"Content-Length: 300000\r\n", b"a" * 300_000, (b"content-length", b"300000")),
    ],
)
def test_a_body_passes(sent: Callable[..., Any], method: str, fields: bytes, body: bytes, framing: Any) -> None:
    _, given, received = sent(method=method, fields=fields, body=body)
    assert received == body
    assert framing in given.items()
    assert b"transfer-encoding" not in given


def test_a_chunked_body_passes_with_its_trailers(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    received = []

    def behave(connection: Any, number: int) -> None:
        connection.read_head()
        received.append(connection.read_chunks())
        connection.send(EMPTY)

    made = origin(behave)
    server = proxy_to(made.address)
    with server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        client.sendall(b"7\r\n, world\r\n0\r\nX-Sum: 12\r\nAuthorization: x\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
    assert received == [(b"hello, world", b"x-sum: 12\r\n")]
    assert b"\r\ntransfer-encoding: chunked\r\n" in made.heads[0]


def test_options_change_what_the_origin_sees(sent: Callable[..., Any]) -> None:
    line, fields, _ = sent(
        "header_up X-Path {path}",
        "header_up -User-Agent",
        "header_up Host app.internal",
        'header_up Accept "text/(.*)" "application/$1"',
        "header_up +X-Forwarded-For 9.9.9.9",
        "method POST",
        "rewrite /v2{path}?k=v",
        "via off",
        "forwarded",
        target="/x?y",
        fields=b"User-Agent: curl\r\nAccept: text/plain\r\n",
    )
    assert line == b"POST /v2/x?k=v HTTP/1.1"
    assert fields[b"x-path"] == b"/x"
    assert fields[b"host"] == b"app.internal"
    assert fields[b"accept"] == b"application/plain"
    assert fields[b"forwarded"] == b"for=127.0.0.1;host=shop.example.com;proto=http"
    assert not fields.keys() & {b"user-agent", b"via"}


@pytest.mark.parametrize(("asked", "seen"), [("GET", "HEAD"), ("HEAD", "GET")])
def test_the_method_that_is_sent_decides_how_the_answer_is_read(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes], asked: str, seen: str
) -> None:
    body = b"" if seen == "HEAD" else b"hello"
    made = origin(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + body)
    server = proxy_to(made.address, f"method {seen}")
    for _ in range(2):
        assert ask(server, asked).endswith(b"\r\n\r\n")
    assert made.accepted == 1


def test_an_absolute_target_decides_the_host(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    made = origin(EMPTY)
    ask(proxy_to(made.address), target="http://other.example.com/x?y")
    assert made.heads[0].startswith(b"GET /x?y HTTP/1.1\r\nhost: other.example.com\r\n")


def test_header_down_changes_the_response(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    made = origin(b"HTTP/1.1 302 Found\r\nLocation: http://app.internal/x\r\nServer: app\r\nContent-Length: 0\r\n\r\n")
    options = (
        "header_down -Server",
        r"header_down Location `^http://app\.internal/` https://{host}/",
        "header_down ?X-A {method}",
    )
    answer = ask(proxy_to(made.address, *options))
    assert b"\r\nlocation: https://shop.example.com/x\r\n" in answer
    assert b"\r\nx-a: GET\r\n" in answer
    assert b"server: app" not in answer


def test_a_body_that_is_longer_than_allowed_is_answered_413(
    serve_edgefile: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    made = origin(EMPTY)
    server = serve_edgefile(f":80 {{\nrequest_body {{\nmax_size 10\n}}\nproxy {made.address}\n}}")
    assert ask(server, "POST", fields=b"Content-Length: 11\r\n", body=b"a" * 11).startswith(b"HTTP/1.1 413")
    chunks = b"6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n"
    assert ask(server, "POST", fields=b"Transfer-Encoding: chunked\r\n", body=chunks).startswith(b"HTTP/1.1 413")
    assert ask(server, "POST", fields=b"Content-Length: 10\r\n", body=b"a" * 10).startswith(b"HTTP/1.1 200")


# ---- Expect: 100-continue

EXPECTS = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"


def test_the_upstreams_continue_reaches_the_client_before_the_body_is_sent(
    proxy_to: Callable[..., Any], origin: Callable[..., Any]
) -> None:
    bodies = []

    def behave(connection: Any, number: int) -> None:
        head = connection.read_head()
        assert b"\r\nexpect: 100-continue\r\n" in head
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        bodies.append(connection.read(5))
        connection.send(EMPTY)

    with proxy_to(origin(behave).address).connect() as client:
        client.sendall(EXPECTS)
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"hello")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
    assert bodies == [b"hello"]


def test_a_final_answer_instead_of_continue_spares_the_body(
    proxy_to: Callable[..., Any], origin: Callable[..., Any]
) -> None:
    rest = []

    def behave(connection: Any, number: int) -> None:
        connection.read_head()
        connection.send(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")
        rest.append(connection.wait_for_end())

    made = origin(behave)
    with proxy_to(made.address).connect() as client:
        client.sendall(EXPECTS)
        answer = client.recv(1000)
        assert answer.startswith(b"HTTP/1.1 401")
        assert answer.endswith(b"\r\n\r\nno")
        made.stop()
    assert rest == [b""], "no body came, and the connection was closed instead of used again"


def test_the_body_is_sent_after_a_while_to_an_upstream_that_says_nothing(
    proxy_to: Callable[..., Any], origin: Callable[..., Any]
) -> None:
    bodies = []

    def behave(connection: Any, number: int) -> None:
        bodies.append(connection.read_request()[1])
        connection.send(EMPTY)

    with proxy_to(origin(behave).address).connect() as client:
        client.sendall(EXPECTS)
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"hello")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
    assert bodies == [b"hello"]


def test_an_answer_before_the_end_of_the_body_ends_the_upload(
    proxy_to: Callable[..., Any], origin: Callable[..., Any]
) -> None:
    def behave(connection: Any, number: int) -> None:
        connection.read_head()
        connection.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        connection.wait_for_end()

    with proxy_to(origin(behave).address).connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n" + b"a" * 1000)
        assert client.recv(1000).startswith(b"HTTP/1.1 413")


# ---- where the endpoint is


def test_an_endpoint_may_be_a_unix_socket(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes], tmp_path: Any
) -> None:
    path = tmp_path / "app.sock"
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(path))
    listening.listen()
    made = origin(EMPTY, listening)
    assert ask(proxy_to(f"unix/{path}")).startswith(b"HTTP/1.1 200")
    assert b"\r\nhost: shop.example.com\r\n" in made.heads[0]
