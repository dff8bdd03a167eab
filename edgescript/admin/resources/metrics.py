"""What is counted, for Prometheus."""

from __future__ import annotations

from edgescript.admin.request import Request
from edgescript.http.headers import combined
from edgescript.http.message import Response


async def get(request: Request) -> Response:
    """The sums over all workers, as Prometheus text or OpenMetrics by `Accept`."""
    from edgescript.observe.exposition import expose

    accept = combined(request.exchange.headers, b"accept") or b""
    kind, body = expose(request.operator.metrics(), accept.decode("latin-1"))
    return Response(200, [(b"content-type", kind.encode()), (b"vary", b"accept")], body)
