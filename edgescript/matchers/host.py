"""Match the host."""

from __future__ import annotations

from edgescript.declare.entries import Build, Test, matcher
from edgescript.declare.fields import rest
from edgescript.declare.sample import Sample, fitting
from edgescript.graph.match import HostTable
from edgescript.http.exchange import Exchange


@matcher("host")
class Host:
    """
    Match requests for one of the hosts.

    A `*` stands for one whole label: `*.example.com` matches `www.example.com`, but neither `example.com` nor
    `a.b.example.com`.

    ```edge-test
    :80 {
        @api host api.example.com *.api.example.com
        respond @api "the API"
        respond "the site"
    }
    test "by host" {
        request GET http://eu.api.example.com/
        expect body "the API"
        request GET http://example.com/
        expect body "the site"
    }
    ```
    """

    names: tuple[str, ...] = rest("Host names, one of which the request must be for.", least=1)

    def sample(self, request: Sample, turn: int) -> None:
        request.host = fitting(self.names[turn % len(self.names)])

    def build(self, build: Build) -> Test:
        names = [name.lower().removesuffix(".") for name in self.names]
        if len(names) == 1 and "*" not in names[0]:
            (only,) = names
            return lambda exchange: exchange.host == only
        find = HostTable((name, True) for name in names).find
        return lambda exchange: find(exchange.host) is True

    def reason(self, exchange: Exchange) -> str:
        return f"the host is {exchange.host}"
