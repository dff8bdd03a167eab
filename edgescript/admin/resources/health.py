"""Whether the process is alive."""

from __future__ import annotations

from edgescript.admin.request import Request, text_answer
from edgescript.http.message import Response


async def get(request: Request) -> Response:
    """200, as long as anything is answered at all."""
    return text_answer("alive\n")
