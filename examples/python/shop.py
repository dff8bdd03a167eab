"""The handlers of the Edgefile beside."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from edgescript.api import HTTPError, Request, Response, Store, background, on_start, on_stop

log = logging.getLogger("shop")
shop = Store("shop")

Next = Callable[[Request], Awaitable[Response]]


@on_start
async def open_shop() -> None:
    """Runs in each worker before the first request."""
    log.info("the shop is open")


@on_stop
async def close_shop() -> None:
    """Runs behind the last request."""
    log.info("the shop is closed")


async def visits(request: Request) -> dict[str, int]:
    """A dict is sent as JSON. All workers count together."""
    return {"visits": await shop.increment("visits")}


async def order(request: Request) -> Response:
    """Takes an order; the mail is sent when the client has its answer."""
    wanted = await request.json()
    if not isinstance(wanted, dict) or not wanted.get("coats"):
        raise HTTPError(400, "which coats?")
    number = await shop.increment("orders")
    background(send_mail, number)
    return Response.json({"order": number}, 201, headers={"Location": f"/api/orders/{number}"})


async def send_mail(number: int) -> None:
    await asyncio.sleep(0.1)
    log.info("the mail about order %d is on its way", number)


def thumbnail(request: Request) -> str:
    """A plain function runs in a thread: it may take its time."""
    time.sleep(0.01)
    return f"{request.path.rpartition('/')[2]}, very small"


async def countdown(request: Request) -> Response:
    """A body that is sent while it is made."""

    async def numbers() -> AsyncIterator[str]:
        for number in (3, 2, 1):
            yield f"{number} "
            await asyncio.sleep(0.01)

    return Response(numbers(), headers={"Content-Type": "text/plain"})


async def timed(request: Request, next: Next) -> Response:
    """Stands around everything below, and notes how long it took."""
    begun = time.perf_counter()
    response = await next(request)
    response.headers["X-Time"] = f"{1000 * (time.perf_counter() - begun):.1f}ms"
    return response


async def signed_in(request: Request, next: Next) -> Response:
    """Lets those pass who are known, and tells what is below who they are."""
    user = request.cookies.get("user")
    if user is None:
        raise HTTPError(401, "who are you?")
    request.vars["user"] = user
    return await next(request)
