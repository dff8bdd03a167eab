"""How connections are kept and bounded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers
from edgescript.upstream.attempts import Group
from edgescript.upstream.connection import Connection
from edgescript.upstream.endpoint import Endpoint
from edgescript.upstream.forward import Changes
from edgescript.upstream.limits import Limits
from edgescript.upstream.pool import Pool

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def together(ask: Callable[..., bytes], server: Any, count: int) -> list[bytes]:
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(server))) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_one_connection_serves_one_request_after_the_other(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    made = origin(OK)
    server = proxy_to(made.address)
    assert [ask(server)[-2:] for _ in range(5)] == [b"ok"] * 5
    assert made.accepted == 1


def test_no_more_connections_than_allowed_are_made(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    made = origin(OK)
    answers = together(ask, proxy_to(made.address, "max_connections 2"), 20)
    assert [answer[-2:] for answer in answers] == [b"ok"] * 20
    assert made.accepted <= 2


def test_who_waits_too_long_for_a_connection_gets_503(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    arrived, released = threading.Event(), threading.Event()

    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        arrived.set()
        released.wait(20)
        connection.send(OK)

    server = proxy_to(origin(behave).address, "max_connections 1", "connect_timeout 100ms")
    first: list[bytes] = []
    thread = threading.Thread(target=lambda: first.append(ask(server)))
    thread.start()
    assert arrived.wait(20)
    assert ask(server).startswith(b"HTTP/1.1 503")
    released.set()
    thread.join()
    assert first[0].endswith(b"ok")


def test_a_connection_that_fails_makes_room_for_who_waits(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        if number % 2 == 0:
            connection.send(OK)

    made = origin(behave)
    answers = together(ask, proxy_to(made.address, "max_connections 1", "retry 50"), 6)
    assert [answer[-2:] for answer in answers] == [b"ok"] * 6


def test_unused_connections_are_closed_after_a_while(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    ended = threading.Event()

    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(OK)
        connection.wait_for_end()
        ended.set()

    ask(proxy_to(origin(behave).address, "keepalive {\nidle 50ms\n}"))
    assert ended.wait(20)


def test_no_connections_are_kept_if_none_shall_be(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    made = origin(OK)
    server = proxy_to(made.address, "keepalive {\nconnections 0\n}")
    assert [ask(server)[-2:] for _ in range(3)] == [b"ok"] * 3
    assert made.accepted == 3


def test_closing_the_graph_closes_its_connections(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    ended = threading.Event()

    def behave(connection: Any, number: int) -> None:
        connection.read_request()
        connection.send(OK)
        connection.wait_for_end()
        ended.set()

    server = proxy_to(origin(behave).address)
    ask(server)
    server.stop()
    assert ended.wait(20)


def test_a_client_that_goes_away_while_it_waits_leaves_its_place(
    proxy_to: Callable[..., Any], origin: Callable[..., Any], ask: Callable[..., bytes]
) -> None:
    arrived, released = threading.Event(), threading.Event()

    def behave(connection: Any, number: int) -> None:
        while True:
            connection.read_request()
            arrived.set()
            released.wait(20)
            connection.send(OK)

    server = proxy_to(origin(behave).address, "max_connections 1")
    with server.connect() as busy, server.connect() as waiting:
        busy.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert arrived.wait(20)
        waiting.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        waiting.close()
        released.set()
        assert busy.recv(1000).endswith(b"ok")
    assert ask(server).endswith(b"ok")


def pool_to(made: Any, **limits: Any) -> Pool:
    return Pool(Endpoint("http", "127.0.0.1", int(made.address.partition(":")[2])), Limits(**limits))


async def closed(pool: Pool) -> None:
    for connection in tuple(pool._open):
        connection.abort()
    await pool.close()
    await asyncio.sleep(0.01)  # transports close behind the end of the callbacks that are due


def test_any_number_may_wait_where_connections_are_not_bounded(origin: Callable[..., Any]) -> None:
    """Each is waiting for a connection of its own, and not for another exchange to end."""
    made = origin(OK)

    async def crowd() -> int:
        pool = pool_to(made, max_waiting=16)
        connections = await asyncio.gather(*[_connected(pool) for _ in range(50)])
        await closed(pool)
        return len(connections)

    assert anyio.run(crowd) == 50


async def _connected(pool: Pool) -> Connection:
    return await pool.connect()


@pytest.mark.parametrize("given_first", [True, False])
def test_a_connection_for_a_task_that_is_cancelled_in_the_same_moment_stays_in_the_pool(
    origin: Callable[..., Any], given_first: bool
) -> None:
    made = origin(OK)

    async def cancelled() -> tuple[int, int]:
        pool = pool_to(made, max_connections=1)
        connection = await _connected(pool)
        waiting = asyncio.create_task(_connected(pool))
        await asyncio.sleep(0)
        acts: list[Callable[[], object]] = [lambda: pool.release(connection), waiting.cancel]
        for act in acts if given_first else reversed(acts):
            act()
        await asyncio.wait([waiting])
        counts = pool.idle, pool.in_use
        await closed(pool)
        return counts

    assert anyio.run(cancelled) == (1, 0)


def test_a_response_for_a_task_that_is_cancelled_in_the_same_moment_leaves_the_connection_to_the_next(
    origin: Callable[..., Any],
) -> None:
    made = origin(OK)

    async def cancelled() -> bytes:
        pool = pool_to(made, max_connections=1)
        group = Group((pool,), lambda exchange, pools: pools[0], 0, Changes())
        first, second = (asyncio.create_task(_answered(group)) for _ in range(2))
        release = pool.release

        def release_and_cancel(connection: Connection) -> None:
            release(connection)
            if connection.reused:  # its answer is there; who waits for it will know in the next turn of the loop
                asyncio.get_running_loop().call_soon(first.cancel)

        pool.release = release_and_cancel  # type: ignore[method-assign]
        await asyncio.wait([first, second], timeout=10)
        await closed(pool)
        second.cancel()
        return b"never answered" if not second.done() else second.result()

    assert anyio.run(cancelled) == b"ok"


async def _answered(group: Group) -> bytes:
    client: Any = _Nobody()
    exchange = Exchange(client, b"GET", b"/", "1.1", [(b"host", b"a")], b"", 0.0)
    body = (await group.answer(exchange)).body
    assert isinstance(body, bytes)
    return body


class _Nobody:
    remote_ip = local_ip = "127.0.0.1"
    remote_port = local_port = 1
    scheme = "http"
    trust = None
    can_upgrade = False

    def inform(self, status: int, headers: Headers) -> None:
        """Nobody is told."""
