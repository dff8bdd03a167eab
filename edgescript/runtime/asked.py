"""What the admin address asks of a worker: where a request would go, and how the servers behind are doing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from edgescript.graph.explain import explain as explained
from edgescript.graph.model import Graph
from edgescript.graph.shared import Use
from edgescript.http.headers import Headers
from edgescript.http.message import HTTPError
from edgescript.server.imagined import imagined, listener_at, nothing_listens
from edgescript.upstream.shares import Membership, Share, Shares

if TYPE_CHECKING:
    from edgescript.runtime.compose import Server

_METHOD = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
#: RFC 9110 5.1 and 5.5.
_FIELD = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")


async def explain(server: Server, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What would happen to a request: `explanation` and `text`, or what is wrong with it, as `error`."""
    try:
        return _explained(server.graph, arguments)
    except ValueError as error:
        return {"error": str(error)}
    except HTTPError as error:
        return {"error": f"such a request is answered {error.status}: {error.reason}"}


def _explained(graph: Graph, arguments: Mapping[str, Any]) -> dict[str, Any]:
    method, url = arguments["method"], arguments["url"]
    if _METHOD.fullmatch(method) is None:
        raise ValueError(f"{method[:80]!r} is no method")
    scheme, authority, port, target = _parts(url)
    listener = listener_at(graph, scheme, port)
    if listener is None:
        raise ValueError(nothing_listens(graph, scheme, port))
    exchange = imagined(
        graph,
        listener,
        method=method.encode(),
        target=target.encode("utf-8"),
        headers=_headers(authority, arguments["headers"]),
        scheme=scheme or "http",
        ip=_ip(arguments["ip"]),
    )
    told = explained(graph, exchange, listener)
    return {"explanation": told.as_json(), "text": told.as_text()}


def _parts(url: str) -> tuple[str | None, str, int | None, str]:
    """Scheme, authority, port and target of a URL; a path alone means the first listener."""
    if " " in url or not url.isprintable():
        raise ValueError("a URL has neither spaces nor control characters; a space is %20")
    is_path = url.startswith("/")
    parts = urlsplit(f"http://path{url}" if is_path else url if "://" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a URL begins with http:// or https:// and has a host; otherwise it is a path")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if is_path:
        return None, "localhost", None, target
    return parts.scheme, parts.netloc.rpartition("@")[2], parts.port, target


def _headers(authority: str, lines: list[str]) -> Headers:
    headers: Headers = []
    for line in lines:
        match = _FIELD.fullmatch(line)
        if match is None:
            raise ValueError(f"{line[:80]!r} is no field such as Name: value")
        headers.append((match[1].lower().encode(), match[2].strip().encode("utf-8", "replace")))
    if not any(name == b"host" for name, _ in headers):
        headers.insert(0, (b"host", authority.encode("utf-8", "replace")))
    return headers


def _ip(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError(f"{text[:80]!r} is no IP address") from None


async def upstreams(server: Server, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The connections to each server behind."""
    shares = _shares_of(server.graph)
    pools = {} if shares is None else shares.pools()
    return [
        {
            "address": address,
            "in_use": sum(pool.in_use for pool in pools[address]),
            "idle": sum(pool.idle for pool in pools[address]),
            "waiting": sum(pool.waiting for pool in pools[address]),
        }
        for address in sorted(pools)
    ]


async def share(server: Server, arguments: Mapping[str, Any]) -> None:
    """Have the servers behind get these shares of new requests, and all others the plain one."""
    put_shares(server.graph, arguments["shares"])


def put_shares(graph: Graph, shares: Mapping[str, Mapping[str, Any]]) -> None:
    """`share` for a graph that may not be in use yet."""
    there = _shares_of(graph)
    if there is not None:
        there.set({address: Share(drained=one["drained"], weight=one["weight"]) for address, one in shares.items()})


async def modules(server: Server, arguments: Mapping[str, Any]) -> dict[str, bool]:
    """The files of Python that handlers have imported, and whether each still holds what it held then."""
    found: dict[str, bool] = {}
    for one in server.graph.resources:
        if isinstance(one, Use):
            found |= getattr(one.thing, "modules", {})
    return found


def _shares_of(graph: Graph) -> Shares | None:
    """What all its groups have in common; None where it proxies nothing."""
    return next((one.shares for one in graph.resources if isinstance(one, Membership)), None)
