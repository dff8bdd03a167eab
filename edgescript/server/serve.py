"""The whole path of a request on one page: find the site, run its program, turn errors into answers, apply changes.

Both engines call `serve` with an exchange, and write the response that comes out. `serve` answers at once where no step
has to wait; otherwise it gives the coroutine that will answer.
"""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Sequence
from typing import Any, NamedTuple

from edgescript.graph.model import Flow, Listener, Program, Site
from edgescript.http.body import BodyBroken, BodyTooLarge, discard
from edgescript.http.error_page import error_page
from edgescript.http.exchange import Change, Exchange
from edgescript.http.headers import first
from edgescript.http.message import Abort, HTTPError, Response
from edgescript.storage.base import StorageError

log = logging.getLogger("edgescript.serve")

#: Written by the engine, and where there are response changes before them, so that they can take it away.
_SERVER = (b"server", b"edge")

_CALL = Flow.CALL.value
_AWAIT = Flow.AWAIT.value
_JUMP = Flow.JUMP.value


class _Waiting(NamedTuple):
    """A program that stopped at a step which must be awaited, and where it goes on."""

    step: Coroutine[Any, Any, Response | None]
    program: Program
    position: int


def serve(exchange: Exchange, listener: Listener) -> Response | Coroutine[Any, Any, Response]:
    """
    Answer one request.

    :raises Abort: if the connection shall be closed without an answer; the coroutine may raise it as well
    """
    site = listener.hosts.find(exchange.host)
    try:
        if site is None:
            exchange.tally = listener.tally.nowhere
            raise HTTPError(404, f"there is no site for host {exchange.host!r} here")
        outcome = _run(exchange, site.program, 0)
    except Exception as error:
        outcome = _failed(exchange, site, error)
    if outcome.__class__ is _Waiting:
        return _waited(exchange, site, outcome)
    return _changed(exchange, outcome)  # type: ignore[arg-type]  # the class was compared above


def _run(exchange: Exchange, program: Program, position: int) -> Response | _Waiting:
    """Run steps from `position` on, up to a response or a wait. The last step of every program answers or raises."""
    code = program.code
    try:
        while True:
            test, run, otherwise, flow = code[position]
            if test is not None and not test(exchange):
                position = otherwise
            elif flow == _CALL:
                response = run(exchange)
                if response is not None:
                    if exchange.tally is None:
                        exchange.tally = program.tallies[position]
                    return response  # type: ignore[no-any-return]
                position += 1
            elif flow == _JUMP:
                position = run(exchange)
            elif flow == _AWAIT:
                return _Waiting(run(exchange), program, position + 1)
            else:
                rest = _Rest(exchange, program, position + 1)
                return _Waiting(run(exchange, rest), program, position + 1)
    except Exception as error:
        _ended(exchange, program, position)
        _blame(error, program, position)
        raise


class _Rest:
    """What is below a step that is around it, see `declare.entries.Rest`."""

    __slots__ = ("_exchange", "_position", "_program")

    def __init__(self, exchange: Exchange, program: Program, position: int) -> None:
        self._exchange = exchange
        self._program = program
        self._position = position

    async def __call__(self, skipped: int = 0) -> Response:
        return await _answered(self._exchange, self._program, self._position + skipped)

    async def again(self, exchange: Exchange) -> Response:
        return await _answered(exchange, self._program, 0)


async def _answered(exchange: Exchange, program: Program, position: int) -> Response:
    """The response of steps from `position` on, as the wrappers among them have made it."""
    if exchange.changes is None:
        exchange.changes = []
    exchange.changes.append(_BELOW)
    outcome = _run(exchange, program, position)
    while isinstance(outcome, _Waiting):
        try:
            response = await outcome.step
        except BaseException as error:
            _ended(exchange, outcome.program, outcome.position - 1)
            _blame(error, outcome.program, outcome.position - 1)
            raise
        if response is not None:
            _ended(exchange, outcome.program, outcome.position - 1)
        outcome = response or _run(exchange, outcome.program, outcome.position)
    exchange.response = outcome
    changes = exchange.changes
    mark = len(changes) - 1 - changes[::-1].index(_BELOW)
    _change(exchange, outcome, changes[mark + 1 :])
    del changes[mark:]
    return outcome


def _BELOW(exchange: Exchange, response: Response) -> None:  # noqa: N802  # a constant that can be called
    """Stands among the response changes where those of what is below a step begin; it changes nothing."""


async def _waited(exchange: Exchange, site: Site | None, waiting: _Waiting) -> Response:
    while True:
        try:
            response = await waiting.step
            if response is None:
                outcome = _run(exchange, waiting.program, waiting.position)
            else:
                outcome = response
                if exchange.tally is None:
                    exchange.tally = waiting.program.tallies[waiting.position - 1]
        except Exception as error:
            _ended(exchange, waiting.program, waiting.position - 1)
            _blame(error, waiting.program, waiting.position - 1)
            outcome = _failed(exchange, site, error)
        except BaseException:  # the client has gone
            exchange.response = None  # one that was looked at is no answer
            _ended(exchange, waiting.program, waiting.position - 1)
            raise
        if not isinstance(outcome, _Waiting):
            return _changed(exchange, outcome)
        waiting = outcome


def _ended(exchange: Exchange, program: Program, position: int) -> None:
    """Note where the exchange's way ended, for the metrics: the first place that answered or failed, whatever came of it."""
    if exchange.tally is None:
        exchange.tally = program.tallies[position]


def _blame(error: BaseException, program: Program, position: int) -> None:
    """Have the log of an unexpected error say where in the user's file its step stands."""
    if isinstance(error, Exception) and not isinstance(error, (HTTPError, Abort)) and not hasattr(error, "__notes__"):
        step = program.steps[position]
        error.add_note(f"in the step `{step.text}` ({step.span})")


def _failed(exchange: Exchange, site: Site | None, error: Exception) -> Response | _Waiting:
    """What answers an error: the site's fitting `handle_errors`, or a plain page where that fails too."""
    if isinstance(error, Abort):
        exchange.response = None  # one that was looked at is no answer
        raise error
    if isinstance(error, BodyTooLarge):
        error = HTTPError(413, "the request's body is too large")
    elif isinstance(error, BodyBroken):
        error = HTTPError(400, "the request's body broke off")
    elif isinstance(error, StorageError):  # the store has told once; a traceback for each request would bury that
        error = HTTPError(503, str(error))
    elif not isinstance(error, HTTPError):
        log.error("a step failed on %s", exchange.asked, exc_info=error)
        error = HTTPError(500, "internal error")
    handling_already = exchange.error is not None
    exchange.error = error
    if site is None or handling_already:
        return error_page(exchange, error)
    for route in site.errors:
        if route.fits(error.status):
            try:
                return _run(exchange, route.program, 0)
            except Exception as second:
                return _failed(exchange, site, second)
    return error_page(exchange, error)


def _changed(exchange: Exchange, response: Response) -> Response:
    """The response that the wrappers make of it."""
    exchange.response = response
    if exchange.changes is not None:
        try:
            _change(exchange, response, exchange.changes)
        except Abort:
            exchange.response = None
            raise
        except Exception:
            log.exception("a response change failed on %s", exchange.asked)
            response = exchange.response = error_page(exchange, HTTPError(500))
    return response


def _change(exchange: Exchange, response: Response, changes: Sequence[Change]) -> None:
    """Let wrappers have their way with the response: the innermost first."""
    if not response.stamped:
        response.stamped = True
        if first(response.headers, b"server") is None:
            response.headers.append(_SERVER)
    try:
        for change in reversed(changes):
            change(exchange, response)
    except BaseException:
        discard(response.body)
        raise
