"""What runs here, and since when."""

from __future__ import annotations

from edgescript.admin.request import Request, json_answer
from edgescript.http.message import Response


async def get(request: Request) -> Response:
    """The version, process, start, addresses and workers."""
    status = request.operator.status()
    return json_answer(
        {
            "version": status.version,
            "pid": status.pid,
            "started": status.started,
            "addresses": list(status.addresses),
            "workers": len(status.workers),
            "config": status.config.number,
        }
    )
