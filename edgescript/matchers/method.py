"""Match the method."""

from __future__ import annotations

from edgescript.declare.entries import Build, Test, matcher
from edgescript.declare.fields import rest
from edgescript.declare.sample import Sample
from edgescript.http.exchange import Exchange


@matcher("method")
class Method:
    """
    Match requests with one of the methods.

    ```edge-test
    :80 {
        @writes method POST PUT PATCH DELETE
        respond @writes 405
        respond "read"
    }
    test "by method" {
        request POST http://localhost/
        expect status 405
        request GET http://localhost/
        expect body "read"
    }
    ```
    """

    methods: tuple[str, ...] = rest("Methods, one of which the request must have.", least=1)

    def sample(self, request: Sample, turn: int) -> None:
        request.method = self.methods[turn % len(self.methods)].upper()

    def build(self, build: Build) -> Test:
        methods = frozenset(method.upper().encode() for method in self.methods)
        if len(methods) == 1:
            (only,) = methods
            return lambda exchange: exchange.method == only
        return lambda exchange: exchange.method in methods

    def reason(self, exchange: Exchange) -> str:
        return f"the method is {exchange.method.decode('latin-1')}"
