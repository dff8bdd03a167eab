"""A Python function that answers requests, or is around what answers them."""

from __future__ import annotations

import asyncio
import inspect
import logging
import traceback
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from edgescript.api._request import MOST_READ, Request
from edgescript.api._response import Response
from edgescript.api._scope import Scope
from edgescript.api._streams import Iterated
from edgescript.handlers.modules import Target
from edgescript.handlers.watchdog import Watchdog
from edgescript.handlers.workplace import Means, Workplace
from edgescript.http.body import discard
from edgescript.http.exchange import Exchange
from edgescript.http.message import HTTPError
from edgescript.http.message import Response as RawResponse
from edgescript.http.pending import Pending, in_task
from edgescript.text.problem import Note, Problem, StartFailed
from edgescript.text.source import Span

if TYPE_CHECKING:
    import anyio.abc

T = TypeVar("T")

log = logging.getLogger("edgescript.handlers")

#: What a step around others is given: what is below it.
Rest = Callable[[], Awaitable[RawResponse]]


class Loaded:
    """
    What an Edgefile's line names in Python: imported when the graph starts, or, where nobody starts it, by its first request.

    Those who derive from it say in `take` what they make of it.
    """

    def __init__(self, target: Target, workplace: Workplace, means: Means, watchdog: Watchdog, span: Span) -> None:
        self.target = target
        self.workplace = workplace
        self.means = means
        self.watchdog = watchdog
        self._span = span
        self._ready = False

    async def start(self, tasks: anyio.abc.TaskGroup) -> None:
        """
        Import it.

        :raises StartFailed: if that cannot be done, or it is nothing that can be used
        """
        self.workplace.tasks = tasks
        await self._begin()

    async def ready(self) -> None:
        """It is there when this returns."""
        if not self._ready:
            await in_task(self._begin())

    async def _begin(self) -> None:
        async with self.workplace.loading:
            if self._ready:
                return
            try:
                await self.take(await self.workplace.load(self.target, self.means))
            except StartFailed:
                raise
            except Exception as error:
                raise self._failure(error) from error
            self._ready = True

    async def take(self, found: Any) -> None:
        """
        Make use of what was found.

        :raises StartFailed: if it is of no use
        """
        raise NotImplementedError

    def failed(self, message: str, hint: str | None = None, notes: tuple[Note, ...] = ()) -> StartFailed:
        """What is wrong, at the line of the Edgefile."""
        return StartFailed(Problem("E206", f"{self.target.text}: {message}", self._span, notes, hint))

    def _failure(self, error: Exception) -> StartFailed:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        notes = [Note(f"in {frame.name}, {frame.filename}:{frame.lineno}") for frame in self._frames(error)]
        return self.failed(what, notes=tuple(notes))

    def _frames(self, error: Exception) -> list[traceback.FrameSummary]:
        """Where in the user's own files the error came up, the innermost last."""
        frames = traceback.extract_tb(error.__traceback__)
        return [frame for frame in frames if frame.filename.startswith(self.workplace.generation.folder)][-3:]

    async def close(self) -> None:
        """The graph is not used any more."""
        self.watchdog.forget(self)


class Handler(Loaded):
    """
    A function of the request.

    :param timeout: seconds until it must have given its response
    :param wraps: it is around what is below
    """

    def __init__(
        self,
        target: Target,
        workplace: Workplace,
        means: Means,
        watchdog: Watchdog,
        span: Span,
        *,
        timeout: float | None,
        wraps: bool,
    ) -> None:
        super().__init__(target, workplace, means, watchdog, span)
        self._timeout = timeout
        self._wraps = wraps
        self._function: Callable[..., Any]
        self._waits = False

    async def take(self, found: Any) -> None:
        if not callable(found) or inspect.isclass(found):
            what = "a class" if inspect.isclass(found) else f"a value of type {type(found).__name__}"
            raise self.failed(f"it is {what}, and no function", "name a function, or an object that can be called")
        self._waits = _is_async(found)
        self._check_signature(found)
        self._function = found
        self.watchdog.know(self, self.target.text, found)

    def _check_signature(self, found: Any) -> None:
        if self._wraps and not self._waits:
            raise self.failed("what wraps others is a coroutine function", "write: async def NAME(request, next)")
        takes = _accepts(found)
        if takes is None or takes(2 if self._wraps else 1):
            return
        if self._wraps:
            raise self.failed("it does not take a request and what is below it", "write: async def NAME(request, next)")
        hint = f"write: python {self.target.text} wrap" if takes(2) else "write: async def NAME(request)"
        raise self.failed("it does not take a request alone", hint)

    # ---- steps

    async def answer(self, exchange: Exchange) -> RawResponse:
        """The step of one that answers."""
        await self.ready()
        scope = self.workplace.scope(self.target.text, self.means, exchange)
        request = Request(exchange)
        if self._waits:
            given = await self._in_time(scope, called(self._function, request))
        else:
            await request.body(MOST_READ if exchange.body_limit is None else exchange.body_limit)
            given = await self._in_thread(scope, request)
        return self._response(given)

    async def around(self, exchange: Exchange, rest: Rest) -> RawResponse:
        """The step of one that wraps."""
        await self.ready()
        scope = self.workplace.scope(self.target.text, self.means, exchange)

        below = _Below(rest)
        answer: RawResponse | None = None
        try:
            given = await self._in_time(scope, called(self._function, Request(exchange), below))
            answer = self._response(given, below.responses)
            return answer
        finally:
            below.close(answer)

    async def _in_time(self, scope: Scope, coroutine: Any) -> Any:
        outer = _begin_span(scope)
        try:
            given = await in_time(scope, coroutine, self._timeout)
        except BaseException as error:
            _end_span(scope, outer, error)
            raise
        _end_span(scope, outer, None)
        return given

    async def _in_thread(self, scope: Scope, request: Request) -> Any:
        outer = _begin_span(scope)
        try:
            run = scope.threads.run
            given = await run(self._function, request, context=scope.context(), within=self._timeout)
        except BaseException as error:
            scope.exchange = None
            _end_span(scope, outer, error)
            raise
        _end_span(scope, outer, None)
        return given

    def _response(self, given: Any, below: Sequence[RawResponse] = ()) -> RawResponse:
        if isinstance(given, Response):
            return self._own(given.raw, below)
        if isinstance(given, str | bytes):
            return Response(given).raw
        if isinstance(given, dict | list):
            return Response.json(given).raw
        code = getattr(inspect.unwrap(self._function), "__code__", None)
        place = "" if code is None else f" ({code.co_filename}:{code.co_firstlineno})"
        hint = "; is an `await` missing?" if inspect.isawaitable(given) else ""
        if inspect.iscoroutine(given):
            given.close()
        raise TypeError(
            f"{self.target.text}{place} gave a value of type {type(given).__name__}: "
            f"a handler gives a Response, text, bytes, or a dict or list, which is sent as JSON{hint}"
        )

    def _own(self, raw: RawResponse, below: Sequence[RawResponse]) -> RawResponse:
        """A copy, as far as others change it: one that is kept for several requests must not carry fields on."""
        body = raw.body
        is_fresh = body.is_fresh if isinstance(body, Iterated) else isinstance(body, bytes)
        if not is_fresh and not any(body is response.body for response in below):
            raise RuntimeError(f"{self.target.text} gave a response that was sent before, and is not of bytes or text")
        own = RawResponse(raw.status, raw.headers.copy(), body, close=raw.close)
        own.stamped = raw.stamped
        own.upgrade = raw.upgrade
        return own


class _Below:
    """What a wrapper knows as `next`."""

    __slots__ = ("_is_over", "_is_running", "_rest", "responses")

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._is_running = False
        self._is_over = False
        self.responses: list[RawResponse] = []

    async def __call__(self, request: Request | None = None) -> Response:
        if self._is_running or self._is_over:
            when = "while it runs" if self._is_running else "when its request has its answer already"
            raise RuntimeError(f"what is below cannot be called {when}")
        self._is_running = True
        try:
            response = await self._rest()
        finally:
            self._is_running = False
        if self._is_over:
            discard(response.body)
            raise RuntimeError("the request has its answer already")
        self.responses.append(response)
        return Response.of(response)

    def close(self, answer: RawResponse | None) -> None:
        """The request has its answer, or none: what another answer has come in the place of is freed."""
        self._is_over = True
        for response in self.responses:
            if answer is None or response.body is not answer.body:
                discard(response.body)


async def called(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a coroutine function gives; what would end the event loop is an error like others."""
    try:
        return await function(*arguments)
    except (SystemExit, KeyboardInterrupt) as error:
        raise RuntimeError(f"the handler raised {type(error).__name__}") from error


async def in_time(scope: Scope, coroutine: Any, within: float | None) -> Any:
    """
    What a coroutine gives that may wait for anything of asyncio: it runs in a task of its own, and is cancelled when
    it takes too long or whoever waits for it is given up.

    :raises HTTPError: 504, if it takes longer than `within` seconds
    """
    task = scope.run(coroutine)
    pending: Pending[Any] = Pending()

    def ended(task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            pending.fail(RuntimeError(f"{scope.name} was cancelled by something of its own"))
        elif (error := task.exception()) is not None:
            if pending.done:
                log.info("%s failed when it was given up: %r", scope.name, error)
            pending.fail(error)
        else:
            pending.set(task.result())

    task.add_done_callback(ended)
    timer = None
    if within is not None:
        too_slow = HTTPError(504, f"{scope.name} takes longer than {within:g} s")
        timer = scope.loop.call_later(within, pending.fail, too_slow)
    try:
        return await pending
    finally:
        if timer is not None:
            timer.cancel()
        if not task.done():
            scope.exchange = None
            task.cancel()


def _is_async(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


def _accepts(function: Any) -> Callable[[int], bool] | None:
    """Whether a function can be called with so many positional arguments; None where nobody knows."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None

    def takes(count: int) -> bool:
        try:
            signature.bind(*range(count))
        except TypeError:
            return False
        return True

    return takes


def _begin_span(scope: Scope) -> Any:
    outer = scope.span
    if outer is not None and outer.sampled:
        scope.span = outer.child(f"python {scope.name}")
    return outer


def _end_span(scope: Scope, outer: Any, error: BaseException | None) -> None:
    if scope.span is not outer and scope.span is not None:
        scope.span.end(None if error is None else f"{type(error).__name__}: {error}")
