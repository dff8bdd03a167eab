"""Match by an expression."""

from __future__ import annotations

from edgescript.declare.entries import Build, Test, matcher
from edgescript.declare.fields import arg
from edgescript.declare.kinds import Expression
from edgescript.http.exchange import Exchange


@matcher("expression")
class ByExpression:
    """
    Match requests for which an expression is true.

    The names are those of the placeholders. Python's comparisons, `and`, `or`, `not`, `in`, arithmetic and string methods
    are there, and nothing that reaches beyond the request. A matcher that is nothing but a text in backticks is an
    expression as well.

    ```edge-test
    :80 {
        @beta expression `path.startswith("/api/") and method == "GET"`
        respond @beta "beta"
        respond "stable"
    }
    test "both must hold" {
        request GET http://localhost/api/x
        expect body "beta"
        request POST http://localhost/api/x
        expect body "stable"
    }
    ```
    """

    condition: Expression = arg("What must be true.")

    def build(self, build: Build) -> Test:
        return self.condition.test

    def reason(self, exchange: Exchange) -> str:
        return f"the expression is {'true' if self.condition.test(exchange) else 'false'}"
