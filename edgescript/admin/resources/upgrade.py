"""Replace the program by the version that is installed now."""

from __future__ import annotations

from edgescript.admin.request import Request, json_answer
from edgescript.http.message import HTTPError, Response


async def post(request: Request) -> Response:
    """Start the new program on the same sockets, and give its version; 409, if it does not start: the old one runs on then."""
    request.parameters()
    async with request.room.changing:
        try:
            version = await request.operator.upgrade()
        except RuntimeError as error:
            raise HTTPError(409, f"the program was not replaced: {error}") from None
    return json_answer({"version": version})
