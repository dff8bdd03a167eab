"""Which endpoint, again or stop."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from edgescript.upstream.attempts import untried
from edgescript.upstream.failure import Stage, UpstreamError
from edgescript.upstream.retry import Verdict, decide

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def refusing(reserve_port: Callable[[], int]) -> str:
    """An address where nobody listens."""
    return f"127.0.0.1:{reserve_port()}"


@pytest.mark.parametrize(
    ("stage", "method", "replayable", "stale", "left", "fresh", "verdict"),
    [
        (Stage.UNSENT, b"POST", True, False, 1, False, Verdict.OTHER),
        (Stage.UNSENT, b"POST", True, False, 0, False, Verdict.STOP),
        (Stage.UNSENT, b"POST", False, False, 1, False, Verdict.STOP),
        (Stage.UNANSWERED, b"GET", True, False, 1, False, Verdict.OTHER),
        (Stage.UNANSWERED, b"PUT", True, False, 1, False, Verdict.OTHER),
        (Stage.UNANSWERED, b"PUT", False, False, 1, False, Verdict.STOP),
        (Stage.UNANSWERED, b"POST", True, False, 1, False, Verdict.STOP),
        (Stage.UNANSWERED, b"PATCH", True, True, 1, False, Verdict.STOP),
        (Stage.UNANSWERED, b"GET", True, True, 0, False, Verdict.FRESH),
        (Stage.UNANSWERED, b"GET", True, True, 0, True, Verdict.STOP),
        (Stage.UNANSWERED, b"GET", True, True, 1, True, Verdict.OTHER),
        (Stage.ANSWERED, b"GET", True, False, 1, False, Verdict.OTHER),
        (Stage.ANSWERED, b"POST", True, False, 1, False, Verdict.STOP),
        (Stage.UNANSWERED, b"get", True, False, 1, False, Verdict.STOP),
    ],
)
def test_what_is_tried_again(
    stage: Stage, method: bytes, replayable: bool, stale: bool, left: int, fresh: bool, verdict: Verdict
) -> None:
    error = UpstreamError("x", stage, stale=stale)
    assert decide(error, method, replayable=replayable, retries_left=left, fresh=fresh) is verdict


def test_every_endpoint_has_its_turn_before_one_is_tried_twice() -> None:
    a, b, c = (SimpleNamespace(address=name) for name in "abc")
    assert untried([a, b, c], [a]) == [b, c]  # type: ignore[list-item]
    assert untried([a, b, c], [a, c]) == [b]  # type: ignore[list-item]
    assert untried([a, b, c], [a, c, b]) == [a, c]  # type: ignore[list-item]
    assert untried([a], [a]) == [a]  # type: ignore[list-item]


def test_another_endpoint_answers_for_one_that_refuses(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes], refusing: str
) -> None:
    server = proxy_to(f"{refusing} {origin(OK).address}", "balance first")
    assert ask(server).endswith(b"ok")
    assert ask(server, "POST", fields=b"Content-Length: 1\r\n", body=b"x").endswith(b"ok")


def test_a_streamed_body_goes_to_another_endpoint_if_none_of_it_was_sent(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes], refusing: str
) -> None:
    server = proxy_to(f"{refusing} {origin(OK).address}", "balance first")
    assert ask(server, "POST", fields=b"Content-Length: 300000\r\n", body=b"x" * 300_000).endswith(b"ok")


def test_only_what_may_be_repeated_is_sent_twice(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    def behave(connection: Any, number: int) -> None:
        connection.read_request()

    closing = origin(behave)
    server = proxy_to(f"{closing.address} {origin(OK).address}", "balance first")
    assert ask(server, "GET").endswith(b"ok")
    assert ask(server, "PUT", fields=b"Content-Length: 1\r\n", body=b"x").endswith(b"ok")
    assert ask(server, "POST", fields=b"Content-Length: 1\r\n", body=b"x").startswith(b"HTTP/1.1 502")
    assert closing.accepted == 3


def test_retry_says_how_often(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes], refusing: str
) -> None:
    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        if number == 4:
            connection.send(OK)

    assert ask(proxy_to(f"{refusing} {origin(OK).address}", "balance first", "retry 0")).startswith(b"HTTP/1.1 502")
    assert ask(proxy_to(origin(behave).address, "retry 2")).startswith(b"HTTP/1.1 502")
    assert ask(proxy_to(origin(behave).address, "retry 3")).endswith(b"ok")


def test_a_kept_connection_that_was_closed_meanwhile_is_no_error(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(OK)
        connection.read_request()  # and close instead of an answer, as if an idle timeout had passed

    made = origin(behave)
    server = proxy_to(made.address, "retry 0")
    assert [ask(server)[-2:] for _ in range(4)] == [b"ok"] * 4
    assert made.accepted == 4


def test_requests_are_spread_in_turn(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    made = [origin(OK) for _ in range(3)]
    server = proxy_to(" ".join(one.address for one in made), "balance round_robin")
    for _ in range(6):
        assert ask(server).endswith(b"ok")
    assert [len(one.heads) for one in made] == [2, 2, 2]


def test_random_uses_every_endpoint(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    made = [origin(OK) for _ in range(2)]
    server = proxy_to(" ".join(one.address for one in made))
    for _ in range(40):
        assert ask(server).endswith(b"ok")
    assert all(one.heads for one in made)


@pytest.mark.parametrize(
    ("endpoint", "status", "reason"),
    [
        ("REFUSING", 502, "connection refused"),
        ("unix//nowhere/at/all.sock", 502, "no such file or directory"),
        ("host.invalid:80", 502, "its name has no address"),
    ],
)
def test_an_endpoint_that_cannot_be_reached_is_an_error_with_a_reason(
    serve_edgefile: Callable[..., Any],
    ask: Callable[..., bytes],
    refusing: str,
    endpoint: str,
    status: int,
    reason: str,
) -> None:
    endpoint = endpoint.replace("REFUSING", refusing)
    server = serve_edgefile(
        f':80 {{\nproxy {endpoint}\nhandle_errors {{\nrespond {{err.status}} "{{err.message}}"\n}}\n}}'
    )
    answer = ask(server)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.endswith(f"\r\n\r\n{endpoint}: {reason}".encode())
