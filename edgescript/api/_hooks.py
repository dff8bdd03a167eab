"""What a module wants done in each worker before its first request and after its last."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[[], Any])


class Hooks:
    """The hooks that were declared while a module was imported."""

    def __init__(self) -> None:
        self.start: list[Callable[[], Any]] = []
        self.stop: list[Callable[[], Any]] = []


#: Set while a module is imported for a server; elsewhere (in a test that imports it) hooks have no effect.
COLLECTING: ContextVar[Hooks | None] = ContextVar("edgescript.hooks", default=None)


def on_start(function: F) -> F:
    """
    Declare a function, or coroutine function, without arguments that each worker runs before the module's first request.

    If it raises, the configuration is not taken over: the server does not start, or goes on with what it had.
    """
    hooks = COLLECTING.get()
    if hooks is not None:
        hooks.start.append(function)
    return function


def on_stop(function: F) -> F:
    """
    Declare a function, or coroutine function, without arguments that each worker runs when the module is not used any more:
    at the end, or after a reload that changed or removed it, when the last request of before is done. The last declared runs
    first. An error goes to the log.
    """
    hooks = COLLECTING.get()
    if hooks is not None:
        hooks.stop.append(function)
    return function
