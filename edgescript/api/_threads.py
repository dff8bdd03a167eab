"""A bounded number of threads for plain functions.

The threads are daemons: one that never ends must not keep the program from ending. What waits for a thread is bounded too, and
whoever comes when that is full is refused at once.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextvars import Context, copy_context
from functools import partial
from typing import Any, TypeVar

from edgescript.http.message import HTTPError
from edgescript.http.pending import Pending

T = TypeVar("T")

log = logging.getLogger("edgescript.handlers")

#: Seconds after which a thread that has nothing to do ends.
_IDLE = 10.0


class _Work:
    __slots__ = ("abandoned", "call", "future", "thread")

    def __init__(self, call: Callable[[], Any]) -> None:
        self.future: Future[Any] = Future()
        self.call = call
        self.thread: int | None = None
        self.abandoned = False

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        self.thread = threading.get_ident()
        try:
            result = self.call()
        except BaseException as error:
            self.future.set_exception(_harmless(error))
        else:
            self.future.set_result(result)


class Threads(Executor):
    """
    A pool.

    :param most: threads, those included whose work nobody waits for any more
    :param waiting: calls that may wait for a thread
    """

    def __init__(self, most: int, waiting: int) -> None:
        self.most = most
        self.waiting = waiting
        #: Threads that run what nobody waits for any more.
        self.abandoned = 0
        self._work: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        #: Each thread, and whether it runs something.
        self._threads: dict[threading.Thread, bool] = {}
        self._unfinished = 0
        self._closed = False

    async def run(
        self,
        function: Callable[..., T],
        /,
        *arguments: Any,
        context: Context | None = None,
        within: float | None = None,
    ) -> T:
        """
        What a function gives that is called in a thread. When it is given up, the call itself goes on.

        :param within: seconds until it is given up
        :raises HTTPError: 503, if too many wait already; 504, if it takes too long
        """
        with self._lock:
            if self._unfinished >= self.most + self.waiting:
                raise HTTPError(503, f"{self._unfinished} calls wait for {self.most} threads or run in them")
            self._unfinished += 1
        work = _Work(partial((context or copy_context()).run, function, *arguments))
        work.future.add_done_callback(partial(self._ended, work))
        pending: Pending[T] = Pending()
        loop = asyncio.get_running_loop()
        # It is the loop that is asked, so that one of a test knows that something runs outside of it.
        given: asyncio.Future[T] = loop.run_in_executor(self, work)  # type: ignore[arg-type]  # `submit` takes it
        given.add_done_callback(partial(_tell, pending))
        timer = None if within is None else loop.call_later(within, pending.fail, _too_slow(within))
        try:
            return await pending
        finally:
            if timer is not None:
                timer.cancel()
            if not given.done() and not work.future.cancel() and not work.future.done():
                self._abandon(work)

    def submit(self, work: Any, /, *arguments: Any, **more: Any) -> Future[Any]:
        assert isinstance(work, _Work), "only `run` submits"
        with self._lock:
            self._work.put(work)
            if len(self._threads) < min(self.most, self._unfinished):
                thread = threading.Thread(target=self._serve, name="edge-python", daemon=True)
                self._threads[thread] = False
                thread.start()
        return work.future

    def _serve(self) -> None:
        me = threading.current_thread()
        while True:
            try:
                work = self._work.get(timeout=_IDLE)
            except queue.Empty:
                work = None
            if work is None:
                with self._lock:
                    if self._closed or self._work.empty():
                        del self._threads[me]
                        return
                continue
            self._threads[me] = True
            work.run()
            self._threads[me] = False
            del work  # with what it holds

    def _ended(self, work: _Work, future: Future[Any]) -> None:
        with self._lock:
            self._unfinished -= 1
            if work.abandoned:
                self.abandoned -= 1

    def _abandon(self, work: _Work) -> None:
        with self._lock:
            if work.future.done():
                return
            work.abandoned = True
            self.abandoned += 1
            count = self.abandoned
        log.warning("a thread goes on with what nobody waits for any more (%d of %d do); it is here:\n%s",
                    count, self.most, stack_of(work.thread))  # fmt: skip

    async def close(self) -> None:
        """Have the threads end that have nothing to do. Of those that are busy nobody can say when they end."""
        with self._lock:
            self._closed = True
            idle = [thread for thread, busy in self._threads.items() if not busy]
            for _ in self._threads:
                self._work.put(None)
        for thread in idle:
            thread.join(1)


async def in_own_thread(function: Callable[..., T], /, *arguments: Any) -> T:
    """What a function gives that is called in a thread of its own: those of the pool may all have work that never ends."""
    threads = Threads(1, 0)
    try:
        return await threads.run(function, *arguments)
    finally:
        await threads.close()


def _harmless(error: BaseException) -> Exception:
    """The error, unless it would mean something else where it is waited for: the end of the loop, or of an iterator."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    instead = RuntimeError(f"the function raised {type(error).__name__}")
    instead.__cause__ = error
    return instead


def _too_slow(seconds: float) -> HTTPError:
    return HTTPError(504, f"the function takes longer than {seconds:g} s")


def _tell(pending: Pending[Any], given: asyncio.Future[Any]) -> None:
    if given.cancelled():
        pending.fail(asyncio.CancelledError())
    elif (error := given.exception()) is not None:
        pending.fail(error)
    else:
        pending.set(given.result())


def stack_of(thread: int | None) -> str:
    """Where a thread is, the innermost call last."""
    frame = sys._current_frames().get(thread or 0)
    return "".join(traceback.format_stack(frame)) if frame is not None else "(nowhere: it has not begun)"
