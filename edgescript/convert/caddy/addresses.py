"""The addresses of a site. Caddy serves HTTPS wherever `http://` does not stand; this version serves plain HTTP only."""

from __future__ import annotations

import re
from typing import NamedTuple

from edgescript.convert.caddy.context import Context, NotConverted

_ADDRESS = re.compile(
    r"(?:(?P<scheme>[A-Za-z0-9+.-]+)://)?(?P<host>\[[^\]]*\]|(?:\{\$[^{}]*\}|[^:/\[\]{}])*)"
    r"(?::(?P<port>\d+|\{\$[^{}]*\}))?(?P<path>/.*)?"
)


class Address(NamedTuple):
    """What an address of a Caddyfile says."""

    host: str
    port: str
    is_https: bool

    def written(self) -> str:
        if not self.host:
            return f":{self.port}"
        return f"http://{self.host}" if self.port == "80" else f"http://{self.host}:{self.port}"


def address(text: str, context: Context, plain: set[str]) -> Address:
    """
    An address of a site.

    :param plain: the hosts that have a site for plain HTTP on the port for it
    :raises NotConverted: if it is none
    """
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise NotConverted("it is no site address")
    if match["path"] not in (None, "/", "/*"):
        raise NotConverted("a site address has no path here: use a path matcher")
    scheme = (match["scheme"] or "").lower()
    if scheme not in ("", "http", "https"):
        raise NotConverted(f"this version serves no {scheme}:// sites")
    host, port = match["host"], match["port"]
    if host == "*":
        host = ""
    is_https = scheme == "https" or port == context.https_port or (scheme == "" and (bool(host) or port is None))
    if port is not None and not is_https:
        return Address(host, port, False)
    if port in (None, context.https_port) and is_https:
        taken = host in plain
        port = context.https_port if taken else context.http_port
    return Address(host, port or context.http_port, is_https)


def plain_host(text: str, context: Context) -> str | None:
    """The host of an address for plain HTTP on the port for it."""
    match = _ADDRESS.fullmatch(text)
    if match is None:
        return None
    is_plain = match["scheme"] == "http" and match["port"] in (None, context.http_port)
    is_port = not match["scheme"] and not match["host"] and match["port"] == context.http_port
    return match["host"] if is_plain or is_port else None
