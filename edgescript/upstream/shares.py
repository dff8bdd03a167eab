"""How new requests are shared among the endpoints of groups, where an operator says otherwise than the Edgefile.

An endpoint that is drained gets none; one of weight 3 gets three times as many as one of weight 1. The policy of a group does
not know: it chooses among pools as often as they stand in `Group.ready`, so an operator's wish costs a request nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgescript.upstream.attempts import Group
    from edgescript.upstream.pool import Pool


@dataclass(frozen=True, slots=True)
class Share:
    """What one endpoint gets."""

    drained: bool = False
    weight: int = 1


PLAIN = Share()


def spread(pools: Sequence[Pool], shares: Mapping[str, Share]) -> tuple[Pool, ...]:
    """
    The pools that may be tried, each as often as its weight says, and evenly mixed.

    Each turn goes to the pool that is furthest behind its due, as in nginx's smooth weighted round robin.
    """
    ready = [pool for pool in pools if not shares.get(pool.address, PLAIN).drained]
    weights = [shares.get(pool.address, PLAIN).weight for pool in ready]
    divisor = gcd(*weights)
    if all(weight == divisor for weight in weights):
        return tuple(ready)
    total = sum(weights) // divisor
    due = [0] * len(ready)
    turns = []
    for _ in range(total):
        due = [one + weight // divisor for one, weight in zip(due, weights, strict=True)]
        chosen = max(range(len(ready)), key=due.__getitem__)
        due[chosen] -= total
        turns.append(ready[chosen])
    return tuple(turns)


class Shares:
    """The shares of a process, and every group that goes by them. Graphs have it in common, so it lives through reloads."""

    def __init__(self) -> None:
        self._shares: Mapping[str, Share] = {}
        #: By identity: 10,000 sites have as many, and each leaves at every reload.
        self._groups: dict[int, Group] = {}

    def join(self, group: Group) -> Membership:
        """Have a group go by these shares until its membership is closed."""
        self._groups[id(group)] = group
        group.ready = spread(group.pools, self._shares)
        return Membership(self, group)

    def leave(self, group: Group) -> None:
        self._groups.pop(id(group), None)

    def set(self, shares: Mapping[str, Share]) -> None:
        """These shares by the endpoints' addresses, and the plain one for all others."""
        self._shares = shares
        for group in tuple(self._groups.values()):
            group.ready = spread(group.pools, shares)

    def pools(self) -> dict[str, list[Pool]]:
        """The pools of all groups by address; several where they have different limits."""
        found: dict[str, dict[int, Pool]] = {}
        for group in tuple(self._groups.values()):
            for pool in group.pools:
                found.setdefault(pool.address, {})[id(pool)] = pool
        return {address: list(pools.values()) for address, pools in found.items()}

    async def close(self) -> None:
        """Nothing is open."""


class Membership:
    """One group's part in the shares."""

    def __init__(self, shares: Shares, group: Group) -> None:
        self.shares = shares
        self._group = group

    async def close(self) -> None:
        self.shares.leave(self._group)
