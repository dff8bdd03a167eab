"""Tasks that nobody waits for while they run: counted, bounded, and waited for at the end."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from contextvars import Context
from typing import Any

log = logging.getLogger("edgescript.handlers")


class Jobs:
    """
    The tasks of one module's handlers.

    :param most: background jobs that may wait or run at a time
    """

    def __init__(self, most: int) -> None:
        self.most = most
        #: Background jobs that were taken on and are not done.
        self.count = 0
        self._lock = threading.Lock()  # plain functions take jobs on in their threads
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def take(self) -> bool:
        """Count one more background job; False if there are too many."""
        with self._lock:
            if self.count >= self.most:
                return False
            self.count += 1
            return True

    def done(self) -> None:
        """A background job is over."""
        with self._lock:
            self.count -= 1

    def start(self, coroutine: Coroutine[Any, Any, Any], context: Context) -> asyncio.Task[Any]:
        """Run a coroutine in a task that is kept until it has ended."""
        task = asyncio.get_running_loop().create_task(coroutine, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def settle(self) -> None:
        """Wait until nothing runs, however long that is."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def finish(self, patience: float) -> None:
        """
        Wait for whatever runs, and cancel what is left.

        :param patience: seconds
        """
        # A job may begin another one.
        loop = asyncio.get_running_loop()
        end = loop.time() + patience
        while self._tasks and loop.time() < end:
            await asyncio.wait(self._tasks, timeout=end - loop.time())
        left = tuple(self._tasks)
        if left:
            log.warning("%d background jobs were cut off at the end of the grace period", len(left))
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=1)
