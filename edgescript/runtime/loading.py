"""A graph compiled beside a running server: in a thread, while the event loop goes on answering."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

import anyio
import anyio.to_thread

from edgescript.graph.load import no_garbage
from edgescript.graph.shared import Shared

T = TypeVar("T")

#: Seconds after which the interpreter takes the turn from the thread that compiles. With Python's own 5 ms, a file of 20 routes
#: is compiled in one turn: the longest gap between answers is 2.6 ms in half of the reloads, and 0.8 to 2.2 ms with this.
_TURN = 0.0005
#: Objects that the cycle collector may find new when it is let in again: it looks at more of them for longer than 5 ms, and
#: meanwhile nobody is answered (900 ms for the million objects of 10,000 sites). They are taken out of its sight then. Graphs
#: have no cycles, so they are freed all the same.
_MOST_LOOKED_AT = 50_000


async def compiled(compile_: Callable[[], T], shared: Shared) -> T:
    """
    What a function gives that compiles a graph with `shared`; it runs in a thread.

    What a graph held that came to nothing is closed.

    :raises ExceptionGroup: if that cannot be closed
    """
    try:
        return await anyio.to_thread.run_sync(_compile, compile_)
    finally:
        with anyio.CancelScope(shield=True):
            await shared.close_left()


def _compile(compile_: Callable[[], T]) -> T:
    with _short_turns(), no_garbage():
        made = compile_()
        if gc.get_count()[0] > _MOST_LOOKED_AT:
            gc.freeze()
        return made


_lock = Lock()
_users = 0
_usual = sys.getswitchinterval()


@contextmanager
def _short_turns() -> Iterator[None]:
    """Have threads take turns quickly. It holds for the whole process, so the last of its users sets it back."""
    global _users, _usual
    with _lock:
        if not _users:
            _usual = sys.getswitchinterval()
            sys.setswitchinterval(_TURN)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                sys.setswitchinterval(_usual)
