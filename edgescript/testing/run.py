"""Runs tests against the compiled routes: the whole path of a request, in memory, without a port of ours."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from edgescript.graph.model import Graph, Listener
from edgescript.http.body import BodyBroken, BodyTooLarge, FileRange, collect
from edgescript.http.exchange import Exchange
from edgescript.http.message import Abort, HTTPError, Response, plain_error
from edgescript.server.serve import serve
from edgescript.testing.client import imagined, listener_for, nothing_listens
from edgescript.testing.expect import Answer, bare_address, compare
from edgescript.testing.scenario import Request, Scenario
from edgescript.testing.standin import Received, standing_in
from edgescript.text.source import Span
from edgescript.upstream.endpoint import DETOUR

#: Seconds until a request of a test counts as unanswered.
PATIENCE = 10
#: Bytes of a response body that a test looks at.
MOST_BODY = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that did not come out as expected."""

    message: str
    span: Span


async def run(scenario: Scenario, load: Callable[[], Graph]) -> list[Failure]:
    """
    What fails in a test; empty where all is as expected.

    :param load: compiles the file; every test has a graph of its own, so that none sees what another left behind
    """
    graph = load()
    received: list[Received] = []
    places: dict[str, tuple[str, int]] = {}
    detour = DETOUR.set(lambda address: _stand_in(places, address))
    try:
        async with contextlib.AsyncExitStack() as stack:
            for stand_in in scenario.upstreams:
                place = await stack.enter_async_context(standing_in(stand_in, received))
                places[bare_address(stand_in.address)] = place
            return [failure for request in scenario.requests for failure in await _repeated(graph, request, received)]
    finally:
        DETOUR.reset(detour)
        await graph.close()


def _stand_in(places: dict[str, tuple[str, int]], address: str) -> tuple[str, int]:
    """Where a connection to an upstream goes in a test: never to the real one."""
    place = places.get(bare_address(address))
    if place is None:
        raise ConnectionRefusedError(errno.ECONNREFUSED, f"the test has no stand-in for the upstream {address}")
    return place


async def _repeated(graph: Graph, request: Request, received: list[Received]) -> list[Failure]:
    """Make a request as often as it says; only the last answer is looked at."""
    listener = listener_for(graph, request)
    if listener is None:
        return [Failure(nothing_listens(graph, request), request.span)]
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
        Failure(
            f"expected {_written(expectation.subject, expectation.arguments)}; there came {instead}", expectation.span
        )
        for expectation in request.expectations
        if (instead := compare(expectation, answer)) is not None
    ]


def _written(subject: str, arguments: tuple[str, ...]) -> str:
    return " ".join([subject, *(repr(argument) if " " in argument else argument for argument in arguments)])


async def _ask(graph: Graph, listener: Listener, request: Request) -> Answer:
    """One request through the compiled routes."""
    try:
        exchange = imagined(graph, listener, request)
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
