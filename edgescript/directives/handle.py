"""Directives for some requests only."""

from __future__ import annotations

from edgescript.declare.entries import Role, Steps, directive
from edgescript.declare.fields import steps


@directive("handle", role=Role.GROUP, exclusive=True)
class Handle:
    """
    Run the directives of the block for requests that match.

    Of `handle` and `handle_path` blocks next to each other only the first that matches runs, in the order written; one
    without a matcher, at the end, takes the rest.

    ```edge-test
    :80 {
        handle /api/* {
            respond "the interface"
        }
        handle {
            respond "the pages"
        }
    }
    test "the first that matches" {
        request GET http://localhost/api/users
        expect body "the interface"
        request GET http://localhost/about
        expect body "the pages"
    }
    ```
    """

    steps: Steps = steps("The directives that run for these requests.")
