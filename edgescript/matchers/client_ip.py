"""Match the address of the client."""

from __future__ import annotations

from edgescript.declare.entries import Build, Test, matcher
from edgescript.declare.fields import rest
from edgescript.declare.kinds import Cidr
from edgescript.declare.sample import Sample
from edgescript.graph.networks import within
from edgescript.http.exchange import Exchange


@matcher("client_ip")
class ClientIp:
    """
    Match requests whose client is in one of the networks: the peer, or whom a trusted proxy names as the client.

    ```edge-test
    :80 {
        @inside client_ip private_ranges
        respond @inside "inside"
        respond "outside"
    }
    test "private addresses are inside" {
        request GET http://localhost/
        expect body "inside"
    }
    ```
    """

    ranges: tuple[Cidr, ...] = rest("Addresses, networks, or `private_ranges`.", least=1)

    def sample(self, request: Sample, turn: int) -> None:
        request.ip = str(self.ranges[turn % len(self.ranges)].networks[0].network_address)

    def build(self, build: Build) -> Test:
        inside = within([network for cidr in self.ranges for network in cidr.networks])
        return lambda exchange: inside(exchange.client_ip)

    def reason(self, exchange: Exchange) -> str:
        return f"the client is {exchange.client_ip}"
