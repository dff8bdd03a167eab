"""The servers behind: their state, and which get new requests."""

from __future__ import annotations

from typing import Any

from edgescript.admin import shares
from edgescript.admin.request import Request, json_answer
from edgescript.http.message import HTTPError, Response

_MOST_WEIGHT = 100


async def get(request: Request) -> Response:
    """Each server with its connections in use and idle, attempts, failures and latency, over all workers."""
    request.parameters()
    figures = await request.room.figures()
    return json_answer(figures.upstreams)


async def post(request: Request) -> Response:
    """
    Change the share of a server: `{"address": "10.0.0.1:8080", "drained": true}`, or `"weight": 3`.

    One that is drained gets no new requests; those in flight end as they would. Of two servers, one of weight 3 gets three
    times as many requests as one of weight 1 (`balance round_robin` and `random`). Both hold until they are changed back,
    also through reloads and restarts of workers.
    """
    request.parameters()
    address, change = _change(await request.json())
    known = {upstream["address"] for upstream in (await request.room.figures()).upstreams}
    if address not in known and address not in request.operator.shares:
        raise HTTPError(404, f"there is no server {address[:200]}; GET /upstreams lists them")
    async with request.room.changing:
        share = await shares.change(request.operator, address, change)
    return json_answer({"address": address, **share})


def _change(asked: Any) -> tuple[str, dict[str, Any]]:
    if not isinstance(asked, dict) or not isinstance(asked.get("address"), str):
        raise HTTPError(422, 'expected an object with an "address"')
    change = {name: value for name, value in asked.items() if name != "address"}
    if not change or not change.keys() <= {"drained", "weight"}:
        raise HTTPError(422, 'expected "drained", "weight" or both beside the address')
    if not isinstance(change.get("drained", False), bool):
        raise HTTPError(422, '"drained" is true or false')
    weight = change.get("weight", 1)
    if type(weight) is not int or not 1 <= weight <= _MOST_WEIGHT:
        raise HTTPError(422, f'"weight" is a whole number from 1 to {_MOST_WEIGHT}')
    return asked["address"], change
