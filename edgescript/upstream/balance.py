"""What a balancing policy is: the choice of one endpoint's pool out of those that may be tried.

A policy on the `balancers/` shelf returns a `Pick` from its `build`. It may look at the exchange and at the pools
(`pool.endpoint`, `pool.in_use`), and must choose one of the pools that it is given, of which there is at least one.

What it remembers lives as long as a group with the same policy and the same endpoints does, through reloads as well; two such
groups have it in common.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgescript.http.exchange import Exchange
from edgescript.upstream.pool import Pool

Pick = Callable[[Exchange, Sequence[Pool]], Pool]


@dataclass(frozen=True, slots=True)
class Balance:
    """A pick, as an object that graphs have in common."""

    pick: Pick

    async def close(self) -> None:
        """What its policy opened is closed by whoever keeps that."""
