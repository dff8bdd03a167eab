"""Stop the server."""

from __future__ import annotations

from edgescript.admin.request import Request, json_answer
from edgescript.http.message import Response


async def post(request: Request) -> Response:
    """Begin to stop gracefully: requests in flight have their grace period."""
    request.parameters()
    request.exchange.on_end(lambda exchange: request.operator.stop())  # when the answer is out
    return json_answer({"stopping": True}, 202)
