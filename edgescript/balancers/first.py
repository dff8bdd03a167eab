"""The first endpoint that can be tried."""

from __future__ import annotations

from edgescript.declare.entries import Build, balancer
from edgescript.upstream.balance import Pick


@balancer("first")
class First:
    """Take the first endpoint as long as it answers; the others stand in for it, in the order written."""

    def build(self, build: Build) -> Pick:
        return lambda exchange, pools: pools[0]
