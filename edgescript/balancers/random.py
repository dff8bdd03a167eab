"""Any endpoint, by chance."""

from __future__ import annotations

from random import random

from edgescript.declare.entries import Build, balancer
from edgescript.upstream.balance import Pick


@balancer("random")
class Random:
    """Take any endpoint, by chance."""

    def build(self, build: Build) -> Pick:
        return lambda exchange, pools: pools[int(random() * len(pools))]  # noqa: S311 - nobody gains by guessing
