"""Where one test plays: routes with fresh state, a clock and stand-ins of its own, and nothing that leads outside."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Iterator

from edgescript.graph.explain import Explanation, Outcome
from edgescript.graph.model import Listener
from edgescript.http.body import BodyBroken, BodyTooLarge, FileRange, collect, discard
from edgescript.http.clock import WALL
from edgescript.http.exchange import Exchange
from edgescript.http.headers import first
from edgescript.http.message import Abort, HTTPError, Response, plain_error
from edgescript.observe.writer import DISCARDED
from edgescript.server.serve import serve
from edgescript.storage.base import INSTEAD
from edgescript.storage.memory import Memory
from edgescript.testing.client import imagined, listener_for, nothing_listens
from edgescript.testing.clock import Clock, VirtualLoop
from edgescript.testing.compiled import Compiled, FreshSites
from edgescript.testing.expect import Answer
from edgescript.testing.scenario import Request
from edgescript.testing.standin import StandIns, shown
from edgescript.testing.walk import Recorder, tell_error
from edgescript.upstream.endpoint import DETOUR

#: Seconds, as the test's clock counts them, until a request counts as unanswered.
PATIENCE = 3600
#: Bytes of a response body that a test looks at.
MOST_BODY = 16 * 1024 * 1024

#: Statuses that never have a body (RFC 9110 6.4.1).
_BODILESS = (204, 304)
#: What the engine alone says.
_FRAMING = (b"connection", b"content-length", b"transfer-encoding")

_LOG = logging.getLogger("edgescript")


class Unanswered(Exception):
    """A request came to nothing that could be compared; says why."""


class _Heard(logging.Handler):
    """Errors that the program logs while it answers: a step that raises has a place in the file."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        notes = "" if error is None else " ".join(getattr(error, "__notes__", ()))
        what = "" if error is None else f": {type(error).__name__}: {error} {notes}".rstrip()
        self.said.append(f"{record.getMessage()}{what}")


class Stage:
    """One test's world. All its methods run in one `VirtualLoop`."""

    def __init__(self, compiled: Compiled, loop: VirtualLoop) -> None:
        self._compiled = compiled
        self._loop = loop
        self.clock = Clock(loop)
        self.stand_ins = StandIns()
        self._store = Memory(loop.time)
        self.recorder = Recorder()
        self._sites = FreshSites(compiled, self.recorder, loop.time)
        self._heard = _Heard()
        self._answer = ""
        #: The last request and where it came in; None where it did not.
        self._asked: tuple[str, str] | None = None

    async def ask(self, request: Request) -> Answer:
        """
        One request through the compiled routes.

        :raises Unanswered: if nothing came that can be looked at
        """
        self._asked = None
        listener = listener_for(self._compiled.graph, request)
        if listener is None:
            raise Unanswered(nothing_listens(self._compiled.graph, request))
        self._asked = (_heading(request), f"{listener.host}:{listener.port}")
        self._answer = "no answer"
        self.recorder.begin()
        self.stand_ins.errors.clear()
        self._heard.said.clear()
        received = self.stand_ins.received
        before = len(received)
        with self._set():
            answer = await self._patiently(self._sites.listener(listener), request)
        if self.stand_ins.errors:
            raise self.stand_ins.errors[0]
        if self._heard.said:
            raise Unanswered(self._heard.said[0])
        answer.sent = received[-1] if len(received) > before else None
        answer.routes = tuple(dict.fromkeys(self.recorder.routes))
        return answer

    def walk(self) -> Explanation | None:
        """What the last request went through, as `edge explain` would tell it; None where nothing listened for it."""
        return None if self._asked is None else self.recorder.explanation(*self._asked, self._answer)

    async def close(self) -> None:
        """Give back what the routes hold."""
        with self._set():
            await self._sites.close()

    @contextlib.contextmanager
    def _set(self) -> Iterator[None]:
        """Only this world is to be seen: its clock, its upstreams, its store, no log."""
        detour = DETOUR.set(self.stand_ins.dial)
        wall = WALL.set(self.clock.wall)
        discarded = DISCARDED.set(True)
        instead = INSTEAD.set(self._store)
        _LOG.addHandler(self._heard)
        try:
            yield
        finally:
            _LOG.removeHandler(self._heard)
            INSTEAD.reset(instead)
            DISCARDED.reset(discarded)
            WALL.reset(wall)
            DETOUR.reset(detour)

    async def _patiently(self, listener: Listener, request: Request) -> Answer:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._serve(listener, request)
        except TimeoutError:
            raise Unanswered("no answer within an hour of the test's clock") from None
        except BodyBroken as error:
            raise Unanswered(f"the answer's body broke off: {error}") from None
        except BodyTooLarge:
            raise Unanswered(f"the answer's body has more than {MOST_BODY} bytes") from None

    async def _serve(self, listener: Listener, request: Request) -> Answer:
        graph = self._compiled.graph
        try:
            exchange = imagined(graph, listener, request, ip=request.ip, started=self._loop.time())
        except HTTPError as error:
            self._answer = f"{error.status}: {error.reason}"
            return await _taken(plain_error(error), request.method, stamped=True)
        try:
            outcome = serve(exchange, listener)
            response = outcome if isinstance(outcome, Response) else await outcome
            answer = await _taken(response, request.method, stamped=exchange.changes is None)
            self._tell_error(exchange)
            self._answer = str(answer.status)
        except Abort:
            answer = Answer(aborted=True)
            self._answer = "the connection is closed without an answer"
        answer.upstream = getattr(exchange.upstream, "address", None)
        self._end(exchange, answer)
        return answer

    def _tell_error(self, exchange: Exchange) -> None:
        """Of an error that no `handle_errors` took, nothing was told so far."""
        if not any(told.outcome is Outcome.FAILED for told in self.recorder.told):
            tell_error(self.recorder, exchange)

    def _end(self, exchange: Exchange, answer: Answer) -> None:
        """What an engine does when an answer has been sent."""
        exchange.sent = len(answer.body)
        exchange.duration = self._loop.time() - exchange.started
        for ending in exchange.endings or ():
            ending(exchange)


def _heading(request: Request) -> str:
    authority = f"{request.scheme}://{request.authority}" if request.scheme else ""
    return f"{request.method} {authority}{request.target}"


async def _taken(response: Response, method: str, *, stamped: bool) -> Answer:
    """
    The response as a client would have it, with its body read to the end and whatever it holds freed.

    :param stamped: the engine names the server, as it does where no change of the response could have taken that away
    """
    headers = _fields(response, method, stamped=stamped)
    if method == "HEAD" or response.status in _BODILESS:
        discard(response.body)
        content = b""
    elif isinstance(response.body, FileRange):
        content = _read(response.body)
    else:
        content = await collect(response.body, MOST_BODY)
    return Answer(response.status, [(shown(name), shown(value)) for name, value in headers], content)


def _fields(response: Response, method: str, *, stamped: bool) -> list[tuple[bytes, bytes]]:
    """A response's header with what the engine adds to it, but for the date."""
    fields = [(name, value) for name, value in response.headers if name not in _FRAMING]
    if stamped and first(fields, b"server") is None:
        fields.append((b"server", b"edge"))
    length = _length(response, method)
    if length is not None:
        fields.append((b"content-length", length))
    return fields


def _length(response: Response, method: str) -> bytes | None:
    """What the engine says about the length of a body, or would with GET (RFC 9110 8.6)."""
    said, body = first(response.headers, b"content-length"), response.body
    if said is not None and (method == "HEAD" or response.status == 304):
        return said
    length = len(body) if isinstance(body, bytes) else body.length
    return None if length is None or response.status in _BODILESS else b"%d" % length


def _read(part: FileRange) -> bytes:
    """
    A part of a file.

    :raises BodyTooLarge: if it is longer than a test looks at
    """
    try:
        if part.length > MOST_BODY:
            raise BodyTooLarge
        return os.pread(part.descriptor, part.length, part.offset)
    finally:
        os.close(part.descriptor)
