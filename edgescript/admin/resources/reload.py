"""Read the Edgefile again."""

from __future__ import annotations

from edgescript.admin.applying import answer_for
from edgescript.admin.request import Request
from edgescript.http.message import Response


async def post(request: Request) -> Response:
    """Put the file to use as it is now, in every worker or in none; the answer is as that of `POST /config`."""
    request.parameters()
    async with request.room.changing:
        applied = await request.operator.apply(None, source="admin")
    return answer_for(request, applied)
