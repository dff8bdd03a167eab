"""Requests that nobody sent: for tests, and for `edge explain`."""

from __future__ import annotations

import time

from edgescript.graph.model import Graph, Listener
from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers
from edgescript.http.trust import Trust
from edgescript.settings.client_ip_headers import ClientIpHeaders
from edgescript.settings.trusted_proxies import TrustedProxies
from edgescript.testing.scenario import Request

#: Ports that a message lists.
SHOWN_PORTS = 12
DEFAULT_PORTS = {"http": 80, "https": 443}


class ImaginedClient:
    """A client without a connection."""

    remote_port = 50_000
    local_ip = "127.0.0.1"
    can_upgrade = False

    def __init__(self, scheme: str, ip: str, port: int, trust: Trust | None) -> None:
        self.scheme = scheme
        self.remote_ip = ip
        self.local_port = port
        #: As engines set it: only for peers that are trusted.
        self.trust = trust if trust is not None and trust.includes(ip) else None

    def inform(self, status: int, headers: Headers) -> None:
        """Interim responses have nowhere to go."""


def listener_for(graph: Graph, request: Request) -> Listener | None:
    """The listener that a URL means: the first one for a bare path, None where nothing listens on the port."""
    if request.scheme is None:
        return graph.listeners[0] if graph.listeners else None
    port = port_of(request)
    return next((listener for listener in graph.listeners if listener.port == port), None)


def port_of(request: Request) -> int:
    return request.port or DEFAULT_PORTS[request.scheme or "http"]


def nothing_listens(graph: Graph, request: Request) -> str:
    """Why a request has no listener."""
    ports = [str(listener.port) for listener in graph.listeners if listener.port is not None]
    shown = ", ".join([*ports[:SHOWN_PORTS], *(["…"] if len(ports) > SHOWN_PORTS else [])])
    message = f"nothing listens on port {port_of(request)}; what is listened on: {shown or 'no port'}"
    https = " (this version serves no HTTPS: ask for http://)" if request.scheme == "https" else ""
    return message + https


def imagined(
    graph: Graph, listener: Listener, request: Request, *, ip: str = "127.0.0.1", started: float | None = None
) -> Exchange:
    """
    The request as it would come in at a listener.

    :param started: when, in seconds of a monotonic clock; now, where it is left out
    :raises HTTPError: 400, if it is malformed
    """
    client = ImaginedClient(request.scheme or "http", ip, listener.port or 0, _trust(graph))
    method, target = request.method.encode("ascii", "replace"), request.target.encode("utf-8", "surrogateescape")
    body = request.body if isinstance(request.body, bytes) else request.body.encode("utf-8", "surrogateescape")
    now = time.monotonic() if started is None else started
    return Exchange(client, method, target, "1.1", _headers(request, body), body, now)


def _trust(graph: Graph) -> Trust | None:
    networks = [network for cidr in graph.setting(TrustedProxies).ranges for network in cidr.networks]
    fields = graph.setting(ClientIpHeaders).names
    return Trust(networks, fields or (b"x-forwarded-for",)) if networks else None


def _headers(request: Request, body: bytes) -> Headers:
    headers = [(name.lower().encode(), value.encode("utf-8", "surrogateescape")) for name, value in request.headers]
    names = {name for name, _ in headers}
    if b"host" not in names:
        headers.insert(0, (b"host", (request.authority or "localhost").encode("utf-8", "surrogateescape")))
    if body and b"content-length" not in names:
        headers.append((b"content-length", str(len(body)).encode()))
    return headers
