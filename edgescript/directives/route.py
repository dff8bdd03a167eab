"""Directives that belong together."""

from __future__ import annotations

from edgescript.declare.entries import Role, Steps, directive
from edgescript.declare.fields import steps


@directive("route", role=Role.GROUP)
class Route:
    """
    Run the directives of the block for requests that match, then go on below.

    Unlike `handle`, blocks next to each other do not exclude each other.

    ```edge-test
    :80 {
        route /api/* {
            header X-Api yes
            respond /api/ping "pong"
        }
        respond "hello"
    }
    test "what is not answered goes on" {
        request GET http://localhost/api/ping
        expect body "pong"
        request GET http://localhost/api/users
        expect body "hello"
        expect header X-Api yes
    }
    ```
    """

    steps: Steps = steps("The directives that run for these requests.")
