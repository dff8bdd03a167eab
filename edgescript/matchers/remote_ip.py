"""Match the address of the peer."""

from __future__ import annotations

from edgescript.declare.entries import Build, Test, matcher
from edgescript.declare.fields import rest
from edgescript.declare.kinds import Cidr
from edgescript.declare.sample import Sample
from edgescript.graph.networks import within
from edgescript.http.exchange import Exchange


@matcher("remote_ip")
class RemoteIp:
    """
    Match requests whose connection comes from one of the networks. Behind a proxy that is the proxy's address: see `client_ip`.

    ```edge-test
    :80 {
        @inside remote_ip private_ranges
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
        return lambda exchange: inside(exchange.client.remote_ip)

    def reason(self, exchange: Exchange) -> str:
        return f"the peer is {exchange.client.remote_ip}"
