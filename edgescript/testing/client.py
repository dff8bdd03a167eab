"""Requests of `test` blocks and of `edge explain`, as they would come in."""

from __future__ import annotations

from edgescript.graph.model import Graph, Listener
from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers
from edgescript.server import imagined as server
from edgescript.server.imagined import DEFAULT_PORTS, ImaginedClient
from edgescript.testing.scenario import Request

__all__ = ["DEFAULT_PORTS", "ImaginedClient", "imagined", "listener_for", "nothing_listens", "port_of"]


def listener_for(graph: Graph, request: Request) -> Listener | None:
    """The listener that a URL means: the first one for a bare path, None where nothing listens on the port."""
    return server.listener_at(graph, request.scheme, request.port)


def port_of(request: Request) -> int:
    return request.port or DEFAULT_PORTS[request.scheme or "http"]


def nothing_listens(graph: Graph, request: Request) -> str:
    """Why a request has no listener."""
    return server.nothing_listens(graph, request.scheme, request.port)


def imagined(
    graph: Graph, listener: Listener, request: Request, *, ip: str = "127.0.0.1", started: float | None = None
) -> Exchange:
    """
    The request as it would come in at a listener.

    :param started: when, in seconds of a monotonic clock; now, where it is left out
    :raises HTTPError: 400, if it is malformed
    """
    body = request.body if isinstance(request.body, bytes) else request.body.encode("utf-8", "surrogateescape")
    return server.imagined(
        graph,
        listener,
        method=request.method.encode("ascii", "replace"),
        target=request.target.encode("utf-8", "surrogateescape"),
        headers=_headers(request, body),
        body=body,
        scheme=request.scheme or "http",
        ip=ip,
        started=started,
    )


def _headers(request: Request, body: bytes) -> Headers:
    headers = [(name.lower().encode(), value.encode("utf-8", "surrogateescape")) for name, value in request.headers]
    names = {name for name, _ in headers}
    if b"host" not in names:
        headers.insert(0, (b"host", (request.authority or "localhost").encode("utf-8", "surrogateescape")))
    if body and b"content-length" not in names:
        headers.append((b"content-length", str(len(body)).encode()))
    return headers
