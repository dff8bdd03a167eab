"""Whether every worker answers requests."""

from __future__ import annotations

from edgescript.admin.request import Request, text_answer
from edgescript.http.message import HTTPError, Response


async def get(request: Request) -> Response:
    """200 if all workers are ready, 503 until then and while the server stops."""
    status = request.operator.status()
    if not status.ready:
        states = ", ".join(f"worker {worker.number} is {worker.state}" for worker in status.workers) or "no worker yet"
        raise HTTPError(503, states, [(b"retry-after", b"1")])
    return text_answer("ready\n")
