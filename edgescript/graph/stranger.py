"""What a plug-in's `build` gives, held to its promise: the request path takes nobody's word, and does not ask twice either."""

from __future__ import annotations

from typing import Any

from edgescript.declare.entries import Built
from edgescript.graph.layout import is_coroutine_function
from edgescript.http.message import Response


def checked(made: Any) -> Any:
    """
    What was built.

    :raises TypeError: if it is nothing that can be called
    """
    run = made.run if isinstance(made, Built) else made
    if not callable(run):
        raise TypeError(f"build() gave a value of type {type(run).__name__}, which cannot be called")
    return made


def held_to_responses(made: Any, module: str) -> Any:
    """A directive's step, or what is around others, whose answers are responses, or an error of the request."""
    if isinstance(made, Built):
        return made._replace(run=_held(made.run, module, waits=made.around or is_coroutine_function(made.run)))
    return _held(made, module, waits=is_coroutine_function(made))


def _held(run: Any, module: str, *, waits: bool) -> Any:
    def sound(answer: Any) -> Response | None:
        if answer is None or isinstance(answer, Response):
            return answer
        raise TypeError(f"the plug-in {module} answered with a value of type {type(answer).__name__}, and no Response")

    async def awaited(*arguments: Any) -> Response | None:
        return sound(await run(*arguments))

    def called(*arguments: Any) -> Response | None:
        return sound(run(*arguments))

    return awaited if waits else called
