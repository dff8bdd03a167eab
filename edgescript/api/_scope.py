"""What belongs to the handler that runs: its request, its background jobs, its store and its threads."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

from edgescript.api._jobs import Jobs
from edgescript.api._threads import Threads
from edgescript.http.exchange import Exchange
from edgescript.http.message import HTTPError
from edgescript.http.span import Span
from edgescript.storage.base import Storage

T = TypeVar("T")

log = logging.getLogger("edgescript.handlers")


class Scope:
    """One handler at work on one request, or without one (start-up, shut-down)."""

    __slots__ = ("exchange", "jobs", "loop", "name", "span", "storage", "threads")

    def __init__(
        self,
        name: str,
        *,
        jobs: Jobs,
        threads: Threads,
        storage: Storage | None,
        loop: asyncio.AbstractEventLoop,
        exchange: Exchange | None = None,
    ) -> None:
        #: What runs, for the log: `shop.py:index`.
        self.name = name
        self.jobs = jobs
        self.threads = threads
        self.storage = storage
        self.loop = loop
        #: None as well when its request is over.
        self.exchange = exchange
        #: The innermost of `span`.
        self.span: Span | None = None if exchange is None else exchange.span

    def context(self) -> Context:
        """A context in which this is the current scope."""
        context = copy_context()
        context.run(_CURRENT.set, self)
        return context

    def run(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run a coroutine in a task of this scope."""
        return self.jobs.start(coroutine, self.context())


_CURRENT: ContextVar[Scope] = ContextVar("edgescript.handler")


def current(what: str) -> Scope:
    """
    The scope of the handler that calls.

    :raises RuntimeError: if no handler does
    """
    scope = _CURRENT.get(None)
    if scope is None:
        raise RuntimeError(f"{what} works inside handlers, hooks and what they call, and nowhere else")
    return scope


def background(work: Coroutine[Any, Any, Any] | Callable[..., Any], *arguments: Any) -> None:
    """
    Have something done when the response has been sent: `background(send_mail(order))`, `background(resize, path)`.

    It is not waited for, and its errors go to the log. What still runs when the server stops, or when its module is loaded
    anew, has the grace period (`grace_period`) to end, and is cancelled then. Outside of a request (in a start-up hook, or in
    another background job) it begins at once.

    :param work: a coroutine, a coroutine function, or a plain function, which runs in a thread
    :param arguments: for the function
    :raises HTTPError: 503, if as many jobs wait or run as may (`python { background N }`); left alone, it answers the request
    :raises RuntimeError: outside of a handler
    """
    scope = current("background()")
    jobs = scope.jobs
    if not jobs.take():
        if inspect.iscoroutine(work):
            work.close()
        raise HTTPError(503, f"{jobs.most} background jobs wait or run already")
    outer = Scope(
        f"background of {scope.name}", jobs=jobs, threads=scope.threads, storage=scope.storage, loop=scope.loop
    )
    exchange = scope.exchange

    def begin(*_: Any) -> None:
        outer.run(_job(outer, work, arguments))

    if exchange is None:
        _on_loop(scope, begin)
    else:
        _on_loop(scope, lambda: exchange.on_end(begin))


def _on_loop(scope: Scope, call: Callable[[], None]) -> None:
    """Call something in the loop's thread; a plain function runs in another one, and its response comes later than this."""
    if asyncio._get_running_loop() is scope.loop:
        call()
    else:
        scope.loop.call_soon_threadsafe(call)


async def _job(scope: Scope, work: Any, arguments: tuple[Any, ...]) -> None:
    try:
        if inspect.iscoroutine(work):
            await work
        elif inspect.iscoroutinefunction(work):
            await work(*arguments)
        else:
            await scope.threads.run(work, *arguments)
    except Exception as error:
        log.error("a %s failed", scope.name, exc_info=error)
    finally:
        scope.jobs.done()


def wait(awaitable: Awaitable[T]) -> T:
    """
    From a plain function: run something on the event loop, and wait for what it gives: `wait(store.get("greeting"))`.

    :raises RuntimeError: in a coroutine, which awaits it itself
    :raises Exception: whatever it raises
    """
    scope = current("wait()")
    if asyncio._get_running_loop() is not None:
        if inspect.iscoroutine(awaitable):
            awaitable.close()
        raise RuntimeError("wait() is for plain functions; a coroutine writes await")

    async def waited() -> T:
        return await awaitable

    return asyncio.run_coroutine_threadsafe(waited(), scope.loop).result()


@contextlib.contextmanager
def span(name: str, **values: str | int | float | bool) -> Iterator[Span | None]:
    """
    Have what is inside stand as a piece of work of its own in the request's trace.

        with span("look up", table="orders"):
            ...

    Gives the span, or None where the request is not recorded; then it costs next to nothing.

    :param values: attributes of the span
    """
    scope = _CURRENT.get(None)
    outer = None if scope is None else scope.span
    if scope is None or outer is None or not outer.sampled:
        yield None
        return
    inner = outer.child(name)
    for key, value in values.items():
        inner.set(key, value)
    scope.span = inner
    try:
        yield inner
    except BaseException as error:
        inner.end(f"{type(error).__name__}: {error}")
        raise
    else:
        inner.end()
    finally:
        scope.span = outer
