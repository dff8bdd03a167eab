"""Runs tests against the compiled routes: the whole path of a request, in memory, without a port of ours."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from edgescript.graph.model import Graph, Listener
from edgescript.http.body import BodyBroken, BodyTooLarge, FileRange, collect
from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers
from edgescript.http.message import Abort, HTTPError, Response
from edgescript.http.trust import Trust
from edgescript.server.serve import plain_error, serve
from edgescript.testing.expect import Answer, compare
from edgescript.testing.scenario import Request, Scenario
from edgescript.testing.standin import Received, standing_in
from edgescript.text.source import Span

#: Seconds until a request of a test counts as unanswered.
PATIENCE = 10
#: Bytes of a response body that a test looks at.
MOST_BODY = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that did not come out as expected."""

    message: str
    span: Span


class _Client:
    """The client of every test: on this machine, without a connection."""

    remote_ip = local_ip = "127.0.0.1"
    remote_port = 50_000
    can_upgrade = False

    def __init__(self, scheme: str, port: int, trust: Trust | None) -> None:
        self.scheme = scheme
        self.local_port = port
        self.trust = trust

    def inform(self, status: int, headers: Headers) -> None:
        """Interim responses have nowhere to go."""


async def run(scenario: Scenario, load: Callable[[], Graph]) -> list[Failure]:
    """
    What fails in a test; empty where all is as expected.

    :param load: compiles the file; every test has a graph of its own, so that none sees what another left behind
    """
    graph = load()
    received: list[Received] = []
    try:
        async with contextlib.AsyncExitStack() as stack:
            for stand_in in scenario.upstreams:
                await stack.enter_async_context(standing_in(stand_in, received))
            return [failure for request in scenario.requests for failure in await _repeated(graph, request, received)]
    finally:
        await graph.close()


async def _repeated(graph: Graph, request: Request, received: list[Received]) -> list[Failure]:
    """Make a request as often as it says; only the last answer is looked at."""
    listener = _listener(graph, request)
    if listener is None:
        ports = ", ".join(str(listener.port) for listener in graph.listeners)
        return [Failure(f"nothing listens on port {_port(request)}; there is {ports or 'no listener'}", request.span)]
    answer = Answer()
    for _ in range(request.repeat):
        received.clear()
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await _ask(graph, listener, request)
        except TimeoutError:
            return [Failure(f"no answer within {PATIENCE} s", request.span)]
        except BodyBroken as error:
            return [Failure(f"the answer's body broke off: {error}", request.span)]
        except BodyTooLarge:
            return [Failure(f"the answer's body has more than {MOST_BODY} bytes", request.span)]
    answer.sent = received[-1] if received else None
    return [
        Failure(f"expected {_written(expectation.subject, expectation.arguments)}; there came {instead}", expectation.span)
        for expectation in request.expectations
        if (instead := compare(expectation, answer)) is not None
    ]


def _listener(graph: Graph, request: Request) -> Listener | None:
    """The listener that a URL means: the first one for a bare path."""
    if request.scheme is None:
        return graph.listeners[0] if graph.listeners else None
    port = _port(request)
    return next((listener for listener in graph.listeners if listener.port == port), None)


def _port(request: Request) -> int:
    return request.port or (443 if request.scheme == "https" else 80)


def _written(subject: str, arguments: tuple[str, ...]) -> str:
    return " ".join([subject, *(repr(argument) if " " in argument else argument for argument in arguments)])


async def _ask(graph: Graph, listener: Listener, request: Request) -> Answer:
    """One request through the compiled routes."""
    client = _Client(request.scheme or "http", listener.port or 0, _trust(graph))
    body = request.body.encode()
    try:
        exchange = Exchange(
            client, request.method.encode(), request.target.encode(), "1.1", _headers(request, body), body, time.monotonic()
        )
    except HTTPError as error:
        return await _taken(plain_error(error), request.method)
    try:
        outcome = serve(exchange, listener)
        response = outcome if isinstance(outcome, Response) else await outcome
        answer = await _taken(response, request.method)
    except Abort:
        answer = Answer(aborted=True)
    answer.upstream = getattr(exchange.upstream, "address", None)
    _end(exchange, answer)
    return answer


def _trust(graph: Graph) -> Trust | None:
    networks = [network for cidr in graph.setting(TrustedProxies).ranges for network in cidr.networks]
    fields = graph.setting(ClientIpHeaders).names
    return Trust(networks, fields or Trust.fields) if networks else None


def _headers(request: Request, body: bytes) -> Headers:
    headers = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in request.headers]
    names = {name for name, _ in headers}
    if b"host" not in names:
        headers.insert(0, (b"host", (request.authority or "localhost").encode()))
    if body and b"content-length" not in names:
        headers.append((b"content-length", str(len(body)).encode()))
    return headers


async def _taken(response: Response, method: str) -> Answer:
    """The response as a client would have it, with its body read to the end and whatever it holds freed."""
    without_body = method == "HEAD" or response.status in (204, 304)
    body = response.body
    if isinstance(body, FileRange):
        content = b"" if without_body else os.pread(body.descriptor, min(body.length, MOST_BODY), body.offset)
        os.close(body.descriptor)
    elif without_body:
        content = b""
        if not isinstance(body, bytes):
            body.cancel()
    else:
        content = await collect(body, MOST_BODY)
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers]
    return Answer(response.status, headers, content)


def _end(exchange: Exchange, answer: Answer) -> None:
    """What an engine does when an answer has been sent."""
    exchange.sent = len(answer.body)
    exchange.duration = time.monotonic() - exchange.started
    for ending in exchange.endings or ():
        ending(exchange)
