"""Bound the bodies of requests."""

from __future__ import annotations

from edgescript.declare.entries import Action, Build, Role, directive
from edgescript.declare.fields import option
from edgescript.declare.kinds import Size
from edgescript.declare.values import show_size
from edgescript.http.exchange import Exchange
from edgescript.http.message import HTTPError


@directive("request_body", role=Role.REWRITER)
class RequestBody:
    """
    Refuse requests with a body that is too large.

    They are answered 413: at once where the request says how long its body is, and otherwise as soon as too much has come.

    ```edge-test
    :80 {
        request_body {
            max_size 5
        }
        respond "taken"
    }
    test "one byte too many" {
        request POST http://localhost/
        body "12345"
        expect body "taken"
        request POST http://localhost/
        body "123456"
        expect status 413
    }
    ```
    """

    max_size: Size = option("The most bytes that a body may have.", default="10MB")

    def build(self, build: Build) -> Action:
        limit = self.max_size
        reason = f"the request's body has more than {show_size(limit)}"

        def run(exchange: Exchange) -> None:
            body = exchange.body
            length = len(body) if isinstance(body, bytes) else body.length
            if length is not None and length > limit:
                raise HTTPError(413, reason)
            if exchange.body_limit is None or limit < exchange.body_limit:
                exchange.body_limit = limit

        return run
