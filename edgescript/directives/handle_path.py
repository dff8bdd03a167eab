"""Directives for what is below a path, which do not see that path."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.declare.entries import Action, Build, Complaint, Role, Steps, directive
from edgescript.declare.fields import arg, steps
from edgescript.declare.kinds import PathPattern
from edgescript.directives._uri import strip_prefix
from edgescript.http.exchange import Exchange


@directive("handle_path", role=Role.GROUP, matcher=False, exclusive=True)
class HandlePath:
    """
    Run the directives of the block for requests below a path, and take that path away before.

    Works as `handle` does, with a path that ends in `*`: `handle_path /api/*` has the directives inside see `/users` when
    `/api/users` is asked for.

    ```edge-test
    :80 {
        handle_path /api/* {
            respond "{uri}"
        }
        respond "not below"
    }
    test "the prefix is gone" {
        request GET http://localhost/api/users?page=2
        expect body "/users?page=2"
        request GET http://localhost/API/a%2Fb
        expect body "/a%2Fb"
        request GET http://localhost/apis
        expect body "not below"
    }
    ```
    """

    path: PathPattern = arg("The path, with `*` at its end, as in `/api/*`.")
    steps: Steps = steps("The directives that run for these requests.")

    @property
    def paths(self) -> tuple[str, ...]:
        """What the compiler matches requests by."""
        return (self.path,)

    def check(self) -> Iterator[Complaint]:
        if not self.path.startswith("/") or "*" in self.path[:-1]:
            yield Complaint("path", "handle_path takes a path with * at its end only, such as /api/*")

    def build(self, build: Build) -> Action:
        prefix = self.path.removesuffix("*").removesuffix("/")

        def run(exchange: Exchange) -> None:
            strip_prefix(exchange, prefix)

        return run
