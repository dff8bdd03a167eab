"""ASGI and WSGI applications in the request path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from edgescript.declare.entries import Build, Built, Complaint, Role, directive
from edgescript.declare.fields import arg, option
from edgescript.declare.kinds import Duration
from edgescript.directives._python import complaints_about, place
from edgescript.http.exchange import Exchange


@directive("app", role=Role.TERMINAL, foreign=True)
class App:
    """
    Have an ASGI or WSGI application answer requests, in this process.

    Applications of Starlette, FastAPI, Django, Flask and others are named as their own servers have it: `shop.main:app`, or
    `main.py:app` for a file beside the Edgefile. Inside `handle_path /shop/*` the application knows that it is mounted at
    `/shop` (`root_path`, `SCRIPT_NAME`). WSGI applications run in threads (see the setting `python`).

    The application is imported, and its lifespan begun, when the server starts. After a change of its module the next reload
    starts the new one beside the old, which is shut down behind its last request.

    ```edge-test
    :80 {
        handle_path /shop/* {
            app edgescript.testing.sample:application
        }
        app edgescript.testing.sample:application {
            timeout 5s
        }
    }
    test "it is told where it is mounted" {
        request GET http://localhost/shop/orders
        expect body "GET /shop/orders below /shop"
    }
    test "it answers the rest" {
        request GET http://localhost/
        expect body "GET / below /"
    }
    ```
    """

    target: str = arg(
        "The application: `module:object`, or `file.py:object` with a path from the Edgefile's directory."
    )
    interface: Literal["asgi", "wsgi"] | None = option(
        "What it speaks. Left out: ASGI, if calling it gives a coroutine, and WSGI otherwise."
    )
    factory: bool = option("What is named is no application, but a function that makes one.")
    timeout: Duration = option(
        "How long it may take until the head of its response is there; then the answer is 504. 0 sets no limit.",
        default="30s",
        least=0,
    )
    startup_timeout: Duration = option(
        "How long its start-up, and its shut-down, may take.", default="30s", least=0.001
    )

    def check(self) -> Iterator[Complaint]:
        yield from complaints_about(self.target)

    def build(self, build: Build) -> Built:
        from edgescript.handlers.application import Application

        application = Application(
            *place(build, self.target),
            build.span(),
            interface=self.interface,
            factory=self.factory,
            within=self.timeout or None,
            startup=self.startup_timeout,
        )
        build.keep(application)
        return Built(application.answer, self._explain)

    def _explain(self, exchange: Exchange) -> str:
        return f"call the application {self.target}"
