"""Close the connection."""

from __future__ import annotations

from edgescript.declare.entries import Action, Build, Built, Role, directive
from edgescript.http.exchange import Exchange
from edgescript.http.message import Abort as Aborted
from edgescript.http.message import Response


@directive("abort", role=Role.TERMINAL)
class Abort:
    """
    Close the client's connection at once, without any answer.

    ```edge-test
    :80 {
        abort /wp-login.php
        respond "hello"
    }
    test "no answer" {
        request GET http://localhost/wp-login.php
        expect abort
        request GET http://localhost/
        expect body "hello"
    }
    ```
    """

    def build(self, build: Build) -> Action | Built:
        return Built(_abort, lambda exchange: "close the connection without an answer")


def _abort(exchange: Exchange) -> Response:
    raise Aborted
