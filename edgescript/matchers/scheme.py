"""Match the scheme."""

from __future__ import annotations

from typing import Literal

from edgescript.declare.entries import Build, Test, matcher
from edgescript.declare.fields import rest
from edgescript.declare.sample import Sample
from edgescript.http.exchange import Exchange


@matcher("scheme")
class Scheme:
    """
    Match requests that came in by one of the schemes, as the client's connection to this server has it.

    ```edge-test
    :80 {
        @plain scheme http
        respond @plain "not encrypted"
        respond "encrypted"
    }
    test "by scheme" {
        request GET http://localhost/
        expect body "not encrypted"
    }
    ```
    """

    schemes: tuple[Literal["http", "https"], ...] = rest("Schemes, one of which the request must have.", least=1)

    def sample(self, request: Sample, turn: int) -> None:
        request.scheme = self.schemes[turn % len(self.schemes)]

    def build(self, build: Build) -> Test:
        schemes = frozenset[str](self.schemes)
        return lambda exchange: exchange.client.scheme in schemes

    def reason(self, exchange: Exchange) -> str:
        return f"the scheme is {exchange.client.scheme}"
