"""Which endpoints are chosen from, and how often, where an operator says so."""

from __future__ import annotations

from collections import Counter
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgescript.http.message import HTTPError
from edgescript.upstream.attempts import Group, untried
from edgescript.upstream.endpoint import Endpoint
from edgescript.upstream.forward import Changes
from edgescript.upstream.limits import Limits
from edgescript.upstream.pool import Pool
from edgescript.upstream.shares import Share, Shares, spread


def pools(count: int) -> tuple[Pool, ...]:
    return tuple(Pool(Endpoint("http", "h", number + 1), Limits()) for number in range(count))


def spelled(chosen: tuple[Pool, ...]) -> str:
    return "".join(str(pool.endpoint.port) for pool in chosen)


@pytest.mark.parametrize(
    ("shares", "order"),
    [
        ({}, "123"),
        ({1: Share(drained=True)}, "23"),
        ({1: Share(drained=True), 2: Share(drained=True), 3: Share(drained=True)}, ""),
        ({1: Share(weight=3)}, "12131"),
        ({1: Share(weight=2), 2: Share(weight=2), 3: Share(weight=2)}, "123"),
        ({1: Share(weight=4), 2: Share(weight=2), 3: Share(weight=2)}, "1231"),
        ({1: Share(drained=True, weight=9), 2: Share(weight=5), 3: Share(weight=5)}, "23"),
        ({9: Share(drained=True)}, "123"),
    ],
)
def test_each_stands_as_often_as_its_weight_says(shares: dict[int, Share], order: str) -> None:
    assert spelled(spread(pools(3), {f"h:{port}": share for port, share in shares.items()})) == order


@given(st.lists(st.integers(1, 100), min_size=1, max_size=6))
def test_shares_are_exact_and_evenly_mixed(weights: list[int]) -> None:
    there = pools(len(weights))
    turns = spread(there, {pool.address: Share(weight=weight) for pool, weight in zip(there, weights, strict=True)})
    counts = Counter(turns)
    for pool, weight in zip(there, weights, strict=True):
        assert counts[pool] * sum(weights) == weight * len(turns)
    for end in range(1, len(turns) + 1):  # at every moment, nobody is more than a turn beyond his due
        so_far = Counter(turns[:end])
        for pool, weight in zip(there, weights, strict=True):
            assert so_far[pool] < weight * end / sum(weights) + 1


def test_a_group_goes_by_shares_until_it_leaves() -> None:
    shares = Shares()
    shares.set({"h:1": Share(drained=True)})
    first, second = (Group(pools(2), lambda exchange, ready: ready[0], 0, Changes()) for _ in range(2))
    membership = shares.join(first)
    assert spelled(first.ready) == "2"
    assert spelled(second.ready) == "12"
    shares.join(second)
    shares.set({})
    assert spelled(first.ready) == spelled(second.ready) == "12"
    assert [len(found) for found in shares.pools().values()] == [2, 2]
    anyio.run(membership.close)
    shares.set({"h:2": Share(drained=True)})
    assert (spelled(first.ready), spelled(second.ready)) == ("12", "1")
    assert [len(found) for found in shares.pools().values()] == [1, 1]


def test_where_all_are_drained_there_is_nobody_to_ask() -> None:
    group = Group(pools(1), lambda exchange, ready: ready[0], 0, Changes())
    group.ready = ()
    exchange: Any = type("Exchange", (), {"body_limit": None})()
    with pytest.raises(HTTPError) as refused:
        group.answer(exchange).send(None)
    assert refused.value.status == 503


def test_another_attempt_goes_to_another_endpoint_though_one_stands_there_twice() -> None:
    one, two = pools(2)
    assert untried((one, one, two), [one]) == [two]
    assert untried((one, one, two), [one, two]) == [one, one]
