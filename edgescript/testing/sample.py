"""Handlers that the documentation of `python` and `app` runs as its examples."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from edgescript.api import HTTPError, Request, Response


async def hello(request: Request) -> str:
    """Greets whom the path names."""
    name = request.path.removeprefix("/hello/")
    if not name:
        raise HTTPError(400, "nobody to greet")
    return f"hello {name}, from {request.query.get('from', 'nobody')}"


def add(request: Request) -> dict[str, int]:
    """Adds a list of numbers, in a thread."""
    return {"sum": sum(json.loads(request.content))}


async def stamp(request: Request, next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Notes on each response what was asked for."""
    response = await next(request)
    response.headers["X-Stamp"] = f"{request.method} {request.path}"
    return response


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """An ASGI application that says what it is asked."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    said = f"{scope['method']} {scope['path']} below {scope['root_path'] or '/'}"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": said.encode()})
