"""What is counted of requests and connections, on both engines."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgescript.metric import OTHER, Kind, Metric
from edgescript.tally import (
    ACCEPTED,
    DURATION,
    FIRST_BYTE,
    IN_FLIGHT,
    OPEN,
    REFUSED,
    REQUEST_SIZE,
    REQUESTS,
    RESPONSE_SIZE,
)
from edgescript.upstream.counts import ATTEMPTS, CONNECTIONS, FAILURES, LATENCY, RETRIES

Values = dict[tuple[str, ...], float]

ROUTES = """
:80 {
    @writes method POST PUT
    handle /api/* {
        respond /api/teapot 418
        handle_path /api/v1/* {
            respond "first"
        }
        error /api/broken 500
        respond "api"
    }
    respond @writes 403
    redir /old /new
    handle {
        respond /a "a"
        error /none 404
    }
    handle_errors 404 {
        respond "nothing here"
    }
}
"""


def counted(server: Any, metric: Metric) -> Values:
    """Of a counter or gauge its values, of a histogram how many values there were."""
    found = [one for one in server.call(lambda: [*server.graph.meter.series()]) if one.metric.name == metric.name]
    return {one.labels: sum(one.counts) if metric.kind is Kind.HISTOGRAM else one.values[0] for one in found}


def eventually(server: Any, metric: Metric, expected: Values) -> None:
    """A request is counted when it is over, which its client may know first."""
    until = time.monotonic() + 20
    while counted(server, metric) != expected:
        assert time.monotonic() < until, f"{counted(server, metric)} is not {expected}"
        time.sleep(0.005)


def ask(client: Any, target: str, *, method: str = "GET", host: str = "a", body: bytes = b"") -> Any:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    client.send(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{length}\r\n".encode() + body)
    return client.read_answer(method=method)


@pytest.mark.parametrize(
    ("target", "method", "route", "status"),
    [
        ("/api/x", "GET", "/api/*", "200"),
        ("/api/teapot", "GET", "/api/teapot", "418"),
        ("/api/v1/x", "GET", "/api/v1/*", "200"),
        ("/api/broken", "GET", "/api/broken", "500"),
        ("/else", "POST", "@writes", "403"),
        ("/old", "HEAD", "/old", "302"),
        ("/a", "GET", "/a", "200"),
        ("/none", "GET", "/none", "404"),
        ("/nowhere", "DELETE", "/", "404"),
        ("/a", "BREW", "/a", "200"),
    ],
)
def test_a_request_is_counted_where_its_way_ended(
    serve_edgefile: Any, connect: Any, engine: Any, target: str, method: str, route: str, status: str
) -> None:
    server = serve_edgefile(ROUTES, engine=engine)
    assert ask(connect(server), target, method=method).status == int(status)
    label = OTHER if method == "BREW" else method
    eventually(server, REQUESTS, {(":80", route, label, status): 1.0})
    for metric in (DURATION, FIRST_BYTE, RESPONSE_SIZE, REQUEST_SIZE):
        assert counted(server, metric) == {(":80", route): 1.0}


def test_a_host_without_site_is_no_label(serve_edgefile: Any, connect: Any, engine: Any) -> None:
    server = serve_edgefile('http://a.example {\nrespond "a"\n}\n', engine=engine)
    client = connect(server)
    for host in ("x.example", "y.example"):
        assert ask(client, "/", host=host).status == 404
    eventually(server, REQUESTS, {("_none", "/", "GET", "404"): 2.0})


def test_methods_that_nobody_knows_are_one(serve_edgefile: Any, connect: Any, engine: Any) -> None:
    server = serve_edgefile(':80 {\nrespond "a"\n}\n', engine=engine)
    client = connect(server)
    for number in range(20):
        assert ask(client, "/", method=f"WORD{number}").status == 200
    eventually(server, REQUESTS, {(":80", "/", OTHER, "200"): 20.0})


def test_sizes_are_those_of_the_bodies(serve_edgefile: Any, connect: Any, engine: Any, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 300_000)
    server = serve_edgefile(":80 {\nfiles /large .\nrespond {query}\n}\n", engine=engine)
    client = connect(server)
    assert len(ask(client, "/large").body) == 300_000
    assert ask(client, "/?hello", method="POST", body=b"y" * 1000).body == b"hello"
    eventually(server, REQUESTS, {(":80", "/large", "GET", "200"): 1.0, (":80", "/", "POST", "200"): 1.0})
    series = server.call(lambda: [*server.graph.meter.series()])
    sums = {(one.metric.name, one.labels[1]): one.values[0] for one in series if len(one.labels) == 2}
    assert sums[RESPONSE_SIZE.name, "/large"] == 300_000
    assert sums[RESPONSE_SIZE.name, "/"] == 5
    assert sums[REQUEST_SIZE.name, "/"] == 1000
    assert 0 < sums[FIRST_BYTE.name, "/large"] <= sums[DURATION.name, "/large"]


def test_what_waits_is_in_flight(serve_edgefile: Any, connect: Any, engine: Any, origin: Any) -> None:
    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.read(1)  # never comes: the other side goes

    behind = origin(behave)
    server = serve_edgefile(f":80 {{\nproxy {behind.address}\n}}\n", engine=engine)
    client = connect(server)
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    eventually(server, IN_FLIGHT, {(":80",): 1.0})
    client.socket.close()
    eventually(server, IN_FLIGHT, {(":80",): 0.0})
    eventually(server, REQUESTS, {(":80", "/", "GET", "0"): 1.0})


def test_metrics_off_counts_no_requests(serve_edgefile: Any, connect: Any, engine: Any) -> None:
    server = serve_edgefile('{\nmetrics off\n}\n:80 {\nmetrics /metrics\nrespond "a"\n}\n', engine=engine)
    client = connect(server)
    assert ask(client, "/").body == b"a"
    assert ask(client, "/", host="b", method="DELETE").body == b"a"
    text = ask(client, "/metrics").body
    assert b"edge_process_cpu_seconds_total" in text
    assert b"edge_http_requests_total" not in text
    assert b"edge_http_request_duration" not in text


def test_the_directive_answers_with_what_was_counted(serve_edgefile: Any, connect: Any, engine: Any) -> None:
    server = serve_edgefile(':80 {\nmetrics /metrics\nrespond "a"\n}\n', engine=engine)
    client = connect(server)
    ask(client, "/")
    eventually(server, REQUESTS, {(":80", "/", "GET", "200"): 1.0})
    answer = ask(client, "/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b'edge_http_requests_total{site=":80",route="/",method="GET",status="200"} 1\n' in answer.body
    client.send(b"GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: application/openmetrics-text\r\n\r\n")
    answer = client.read_answer()
    assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert answer.body.endswith(b"# EOF\n")
    assert ask(client, "/metrics", method="HEAD").status == 200
    answer = ask(client, "/metrics", method="POST", body=b"garbage")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


def test_with_a_supervisor_the_directive_asks_it(serve_edgefile: Any, connect: Any, engine: Any) -> None:
    server = serve_edgefile(":80 {\nmetrics\n}\n", engine=engine)

    async def ask_supervisor(accept: str) -> tuple[str, bytes]:
        return "text/plain", b"of all workers, for " + accept.encode()

    server.graph.meter.exposition = ask_supervisor
    client = connect(server)
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nAccept: a/b\r\nAccept: c/d\r\n\r\n")
    assert client.read_answer().body in (b"of all workers, for a/b,c/d", b"of all workers, for a/b, c/d")


def test_a_budget_bounds_what_is_told_apart(serve_edgefile: Any, connect: Any, engine: Any) -> None:
    server = serve_edgefile('{\nmetrics {\nbudget 2\n}\n}\n:80 {\nrespond "a"\n}\n', engine=engine)
    client = connect(server)
    for method in ("GET", "POST", "PUT", "DELETE"):
        ask(client, "/", method=method)
    eventually(
        server,
        REQUESTS,
        {(":80", "/", "GET", "200"): 1.0, (":80", "/", "POST", "200"): 1.0, (OTHER,) * 4: 2.0},
    )


# ---- of the fast lane, which sees connections


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n", "malformed"),
        (b"GET / HTTP/1.1\r\n\r\n", "malformed"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20_000, "head_too_large"),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", "target_too_long"),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "unsupported"),
    ],
)
def test_requests_that_reach_no_site_are_counted_by_why(serve_edgefile: Any, head: bytes, reason: str) -> None:
    server = serve_edgefile(':80 {\nrespond "a"\n}\n')
    server.exchange(head, end=True)
    eventually(server, REFUSED, {(":80", reason): 1.0})
    assert counted(server, REQUESTS) == {}


def test_connections_are_counted_by_listener(serve_edgefile: Any, connect: Any) -> None:
    server = serve_edgefile(':80 {\nrespond "a"\n}\n:81 {\nrespond "b"\n}\n')
    clients = [connect(server) for _ in range(3)]
    for client in clients:
        ask(client, "/")
    assert counted(server, ACCEPTED) == {(":80",): 3.0, (":81",): 0.0}
    assert counted(server, OPEN) == {(":80",): 3.0, (":81",): 0.0}
    clients[0].socket.close()
    eventually(server, OPEN, {(":80",): 2.0, (":81",): 0.0})


def test_a_tunnel_is_an_open_connection(
    serve_edgefile: Any, websocket_echo: int, through_websocket: Callable[[int, str], list[str]]
) -> None:
    server = serve_edgefile(f":80 {{\nproxy 127.0.0.1:{websocket_echo}\n}}\n")
    through_websocket(server.port, "/chat")
    eventually(server, REQUESTS, {(":80", "/", "GET", "101"): 1.0})
    assert counted(server, IN_FLIGHT) == {(":80",): 0.0}
    eventually(server, OPEN, {(":80",): 0.0})


# ---- of what is behind


def test_attempts_are_counted_by_endpoint(serve_edgefile: Any, connect: Any, origin: Any, reserve_port: Any) -> None:
    gone = f"127.0.0.1:{reserve_port()}"
    there = origin(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").address
    server = serve_edgefile(f":80 {{\nproxy {gone} {there} {{\nbalance first\n}}\n}}\n")
    client = connect(server)
    for _ in range(3):
        assert ask(client, "/").body == b"ok"
    assert counted(server, ATTEMPTS) == {(gone,): 3.0, (there,): 3.0}
    assert counted(server, FAILURES) == {(gone, "connect"): 3.0}
    assert counted(server, RETRIES) == {(gone,): 3.0}
    assert counted(server, LATENCY) == {(gone,): 0.0, (there,): 3.0}
    eventually(
        server,
        CONNECTIONS,
        {(gone, "in_use"): 0.0, (gone, "idle"): 0.0, (there, "in_use"): 0.0, (there, "idle"): 1.0},
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "closed"), (b"HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n", "broken"), (b"HTTP/1.1 2", "broken")],
)
def test_failures_are_told_apart(serve_edgefile: Any, connect: Any, origin: Any, data: bytes, reason: str) -> None:
    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(data)

    there = origin(behave).address
    server = serve_edgefile(f":80 {{\nproxy {there}\n}}\n")
    assert ask(connect(server), "/", method="POST", body=b"x").status == 502
    assert counted(server, FAILURES) == {(there, reason): 1.0}
