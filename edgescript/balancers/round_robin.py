"""One endpoint after the other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from edgescript.declare.entries import Build, balancer
from edgescript.http.exchange import Exchange
from edgescript.upstream.balance import Pick
from edgescript.upstream.pool import Pool


@balancer("round_robin")
class RoundRobin:
    """Take one endpoint after the other, in the order written."""

    def build(self, build: Build) -> Pick:
        turns = count()

        def pick(exchange: Exchange, pools: Sequence[Pool]) -> Pool:
            return pools[next(turns) % len(pools)]

        return pick
