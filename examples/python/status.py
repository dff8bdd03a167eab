"""An ASGI application as small as they come; one of Starlette, FastAPI, Django or Flask is named in the same way."""

from __future__ import annotations

from typing import Any


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Says whether it is ready, and where it is mounted."""
    assert scope["type"] == "http"
    body = f"{scope['path'].rpartition('/')[2]}, below {scope['root_path']}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body})
