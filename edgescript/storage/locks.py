"""Locks of any store that can take a name for a while and free it again.

A holder is known by a token that nobody else has, so that whoever comes back after its time is over frees nobody else's lock.
"""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable

from edgescript.http.pending import in_task
from edgescript.storage.base import StorageError

#: Seconds between two looks at a lock that somebody holds: from the first to the last.
FIRST_LOOK, LAST_LOOK = 0.002, 0.1


@contextlib.asynccontextmanager
async def held(
    take: Callable[[bytes], Awaitable[bool]], free: Callable[[bytes], Awaitable[object]], *, wait: float
) -> AsyncIterator[bool]:
    """Hold a lock while the block runs; gives False if it was not to be had within `wait` seconds."""
    token = os.urandom(16)
    if not await _taken(lambda: take(token), wait):
        yield False
        return
    try:
        yield True
    finally:
        # Where the store fails, as it has told by itself, the lock is free when its time is over; what the block did stands.
        with contextlib.suppress(StorageError):
            await free(token)


async def _taken(take: Callable[[], Awaitable[bool]], wait: float) -> bool:
    if await take():
        return True
    if wait <= 0:
        return False
    import asyncio  # not by whoever only reads an Edgefile

    now = asyncio.get_running_loop().time
    end = now() + wait
    pause = FIRST_LOOK
    while now() < end:
        # At uneven times, so that those who wait do not look all at once.
        await in_task(asyncio.sleep(min(pause * random.uniform(0.5, 1.0), max(end - now(), 0.0))))  # noqa: S311
        if await take():
            return True
        pause = min(pause * 2, LAST_LOOK)
    return False
