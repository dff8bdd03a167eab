"""Write a line about each request."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Literal

from edgescript.declare.entries import Action, Build, Complaint, Role, directive, record
from edgescript.declare.fields import arg, option
from edgescript.http.exchange import Exchange
from edgescript.observe import tap
from edgescript.observe.access import line_maker
from edgescript.observe.writer import acquire


@record
class Output:
    """Where the lines go."""

    to: Literal["stdout", "stderr", "discard", "file"] = arg("A stream, `file` with a path behind it, or nowhere.")
    path: str | None = arg("Path of the file; it is appended to, and opened anew when it was moved away.")

    def check(self) -> Iterator[Complaint]:
        if self.to == "file" and not self.path:
            yield Complaint("to", "a file needs a path: `output file /var/log/edge.log`")
        elif self.to != "file" and self.path is not None:
            yield Complaint("path", f"{self.to} has no path")


@directive("log", role=Role.WRAPPER, outermost=True)
class Log:
    """
    Write one line of JSON about each request, when its response has been sent.

    A line says when, who asked for what, and what came of it: `ts`, `client_ip`, `method`, `host`, `uri`, `protocol`,
    `status`, `size` of the body in bytes, `duration` in seconds, `user_agent` and `referer`; where there is one, also the
    `upstream` with its `upstream_latency`, the `error`, and the `request_id`. Cookies and credentials are never in it.

    Lines are written in batches by a thread of their own; if the disk cannot keep up they are dropped, and that is said
    on standard error. With a matcher, only requests that match are logged.

    ```edge-test
    :80 {
        log {
            output stdout
        }
        respond "hello"
    }
    test "logging changes nothing" {
        request GET http://localhost/
        expect status 200
        expect body "hello"
    }
    ```
    """

    output: Output = option("Where the lines go.", default="stdout")
    format: Literal["json"] = option("How a line is written.", default="json")

    def build(self, build: Build) -> Action | None:
        if self.output.to == "discard":
            return _nothing
        writer = acquire(self._destination(build.directory()))
        build.keep(writer)
        make = line_maker()
        write = writer.write

        def end(exchange: Exchange) -> None:
            line = make(exchange)
            write(line)
            if tap.listeners:
                tap.tell(line)

        def run(exchange: Exchange) -> None:
            exchange.on_end(end)

        return run

    def _destination(self, directory: str) -> str:
        if self.output.path is None:
            return self.output.to
        return os.path.abspath(os.path.join(directory, self.output.path))


def _nothing(exchange: Exchange) -> None:
    """Logs nowhere."""
