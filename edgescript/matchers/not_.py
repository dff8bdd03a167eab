"""Match what another matcher does not."""

from __future__ import annotations

from edgescript.declare.entries import Build, Steps, Test, matcher
from edgescript.declare.fields import steps
from edgescript.http.exchange import Exchange


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
                path /status
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

    matchers: Steps = steps("A matcher and its arguments behind the name, or a block of matchers.")

    def build(self, build: Build) -> Test:
        tests = build.tests(self.matchers)
        if len(tests) == 1:
            (only,) = tests
            return lambda exchange: not only(exchange)
        return lambda exchange: not all(test(exchange) for test in tests)

    def reason(self, exchange: Exchange) -> str:
        return "the contrary of what it holds"
