"""Match what another matcher does not."""

from __future__ import annotations

from collections.abc import Sequence

from edgescript.declare.entries import Test, matcher
from edgescript.declare.fields import rest


@matcher("not")
class Not:
    """
    Match requests that another matcher does not match.

    The matcher stands behind `not` with its arguments. With a block of matchers instead, it matches requests that do not
    match all of them.

    ```edge-test
    :80 {
        @guarded {
            not path /public/*
            not {
                method GET
                path   /status
            }
        }
        respond @guarded 403
        respond "welcome"
    }
    test "one line, and a block of which all must hold" {
        request GET http://localhost/public/x
        expect body "welcome"
        request GET http://localhost/status
        expect body "welcome"
        request POST http://localhost/status
        expect status 403
    }
    ```
    """

    matcher: tuple[str, ...] = rest("A matcher and its arguments; nothing, where there is a block of matchers.")

    @staticmethod
    def over(tests: Sequence[Test]) -> Test:
        """What makes this a matcher over others: `graph.compile` hands it their tests, all of which would have to hold."""
        if len(tests) == 1:
            (only,) = tests
            return lambda exchange: not only(exchange)
        return lambda exchange: not all(test(exchange) for test in tests)
