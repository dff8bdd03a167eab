"""Go back to a configuration of the history."""

from __future__ import annotations

from edgescript.admin.applying import answer_for
from edgescript.admin.request import Request
from edgescript.http.message import HTTPError, Response


async def post(request: Request) -> Response:
    """Put `?number=3` to use again, or the one before the current one; the answer is as that of `POST /config`."""
    asked = request.parameters("number")
    number = request.number(asked["number"], "number") if "number" in asked else None
    async with request.room.changing:
        try:
            applied = await request.operator.roll_back(number)
        except LookupError as error:
            raise HTTPError(404, str(error.args[0]) if error.args else "there is no such configuration") from None
    return answer_for(request, applied)
