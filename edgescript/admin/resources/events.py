"""The server each second, as server-sent events: what the dashboard shows."""

from __future__ import annotations

from edgescript.admin.request import Request
from edgescript.admin.stream import event
from edgescript.http.message import Response


async def get(request: Request) -> Response:
    """An event with what has happened lately, and then one each second, as JSON."""
    request.parameters()
    response = request.room.events.answer(lambda data: data)
    past = request.room.history.encoded()
    if past is not None:
        response.body.send(event(past, "history"))  # type: ignore[union-attr]  # it is a stream
    return response
