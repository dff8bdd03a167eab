"""Which servers behind get how many of the new requests: what was asked for at the admin address."""

from __future__ import annotations

from typing import Any

from edgescript.admin.operator import Operator

#: The share of a server that nobody has changed.
PLAIN = {"drained": False, "weight": 1}


def share_of(operator: Operator, address: str) -> dict[str, Any]:
    return dict(operator.shares.get(address, PLAIN))


async def change(operator: Operator, address: str, changes: dict[str, Any]) -> dict[str, Any]:
    """Change the share of a server in every worker, and give what it is now."""
    share = share_of(operator, address) | changes
    others = {other: dict(value) for other, value in operator.shares.items() if other != address}
    await operator.share(others if share == PLAIN else {**others, address: share})
    return share
