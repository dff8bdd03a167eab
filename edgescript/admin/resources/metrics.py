"""What is counted, for Prometheus."""

from __future__ import annotations

from edgescript.admin.request import Request
from edgescript.http.headers import combined
from edgescript.http.message import Response


async def get(request: Request) -> Response:
    """The sums over all workers, as Prometheus text or OpenMetrics by `Accept`."""
    from edgescript.observe.exposition import expose

    accept = combined(request.exchange.headers, b"accept") or b""
    body, kind = expose(request.operator.metrics(), accept)
    return Response(200, [(b"content-type", kind)], body)
