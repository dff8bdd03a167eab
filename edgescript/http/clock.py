"""The time of day as requests see it. A test of an Edgefile sets a clock of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar

#: Seconds since 1970.
WALL: ContextVar[Callable[[], float]] = ContextVar("WALL", default=time.time)


def wall() -> float:
    """Seconds since 1970."""
    return WALL.get()()
