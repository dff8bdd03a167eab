"""Requests that nobody sent: for tests, and for whoever asks what would happen to one."""

from __future__ import annotations

import time

from edgescript.graph.model import Graph, Listener
from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers
from edgescript.http.trust import Trust
from edgescript.server.bounds import bounds_of

DEFAULT_PORTS = {"http": 80, "https": 443}
#: Ports that a message lists.
SHOWN_PORTS = 12


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


def listener_at(graph: Graph, scheme: str | None, port: int | None) -> Listener | None:
    """The listener that a URL means: the first one where it has no scheme, None where nothing listens on its port."""
    if scheme is None:
        return graph.listeners[0] if graph.listeners else None
    wanted = port or DEFAULT_PORTS[scheme]
    return next((listener for listener in graph.listeners if listener.port == wanted), None)


def nothing_listens(graph: Graph, scheme: str | None, port: int | None) -> str:
    """Why a URL has no listener."""
    ports = [str(listener.port) for listener in graph.listeners if listener.port is not None]
    shown = ", ".join([*ports[:SHOWN_PORTS], *(["…"] if len(ports) > SHOWN_PORTS else [])])
    wanted = port or DEFAULT_PORTS[scheme or "http"]
    message = f"nothing listens on port {wanted}; what is listened on: {shown or 'no port'}"
    https = " (this version serves no HTTPS: ask for http://)" if scheme == "https" else ""
    return message + https


def imagined(
    graph: Graph,
    listener: Listener,
    *,
    method: bytes,
    target: bytes,
    headers: Headers,
    body: bytes = b"",
    scheme: str = "http",
    ip: str = "127.0.0.1",
    started: float | None = None,
) -> Exchange:
    """
    A request as it would come in at a listener.

    :param started: when, in seconds of a monotonic clock; now, where it is left out
    :raises HTTPError: 400, if it is malformed
    """
    client = ImaginedClient(scheme, ip, listener.port or 0, bounds_of(graph).trust)
    return Exchange(client, method, target, "1.1", headers, body, time.monotonic() if started is None else started)
