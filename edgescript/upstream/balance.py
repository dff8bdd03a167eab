"""What a balancing policy is: the choice of one endpoint's pool out of those that may be tried.

A policy on the `balancers/` shelf returns a `Pick` from its `build`. It may look at the exchange and at the pools
(`pool.endpoint`, `pool.in_use`), and must choose one of the pools that it is given, of which there is at least one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgescript.http.exchange import Exchange
from edgescript.upstream.pool import Pool

Pick = Callable[[Exchange, Sequence[Pool]], Pool]
