"""Python functions in the request path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from edgescript.declare.entries import Build, Built, Complaint, Role, directive
from edgescript.declare.fields import arg, option
from edgescript.declare.kinds import Duration
from edgescript.directives._python import complaints_about, place
from edgescript.http.exchange import Exchange


@directive("python", role=Role.TERMINAL, foreign=True)
class Python:
    """
    Have a Python function answer requests, or stand around what answers them.

    The function stands in a file beside the Edgefile (`shop.py:index`), or in a module (`shop.views:index`), which is looked
    for beside the Edgefile first, and then among the installed packages. `async def index(request)` answers. With the word
    `wrap`, `async def guard(request, next)` sees each request before the directives below, has them answer by
    `await next(request)`, and gives that response, changed or not, or another one. A plain `def` runs in a thread.

    A function gives an `edgescript.api.Response`, or a text, bytes, or a dict or list, which is sent as JSON. The page
    "Python in the request path" of the guide shows what it can do.

    The module is imported when the server starts. After a change, the next reload loads it anew, with the others of its folder.
    If that fails, the server goes on with what it had.

    ```edge-test
    :80 {
        python edgescript.testing.sample:stamp wrap
        python /hello/* edgescript.testing.sample:hello
        python /add edgescript.testing.sample:add {
            timeout 2s
        }
        respond 404
    }
    test "a function answers" {
        request GET http://localhost/hello/you?from=me
        expect status 200
        expect body "hello you, from me"
        expect header X-Stamp "GET /hello/you"
    }
    test "what it refuses" {
        request GET http://localhost/hello/
        expect status 400
    }
    test "a plain function gives JSON" {
        request POST http://localhost/add
        body "[1, 2, 3]"
        expect header Content-Type application/json
        expect body `{"sum":6}`
    }
    ```
    """

    target: str = arg(
        "The function: `module:callable`, or `file.py:callable` with a path from the Edgefile's directory."
    )
    wrap: Literal["wrap"] | None = arg("The word `wrap`, if the function stands around what is below.")
    timeout: Duration = option(
        "How long it may take until it has its response, with `wrap` that of what is below included; then it is given up and "
        "the answer is 504. 0 sets no limit.",
        default="30s",
        least=0,
    )

    @property
    def falls_through(self) -> bool:
        """What is below a wrapper runs."""
        return self.wrap is not None

    def check(self) -> Iterator[Complaint]:
        yield from complaints_about(self.target)

    def build(self, build: Build) -> Built:
        from edgescript.handlers.handler import Handler

        target, workplace, means, watchdog = place(build, self.target)
        wraps = self.wrap is not None
        handler = Handler(target, workplace, means, watchdog, build.span(), timeout=self.timeout or None, wraps=wraps)
        build.keep(handler)
        if wraps:
            return Built(handler.around, lambda exchange: None, around=True)
        return Built(handler.answer, self._explain)

    def _explain(self, exchange: Exchange) -> str:
        return f"call {self.target}"
