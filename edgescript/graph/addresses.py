"""Site addresses: `[scheme://]host[:port]`, what they mean, and which of them this version serves.

As in Caddy, a host without a scheme means HTTPS. Until this server speaks TLS to its clients, such an address is a problem
that says how to ask for plain HTTP, rather than a site that is silently served without encryption.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import NamedTuple

from edgescript.text.problem import Hint

HTTP_PORT = 80
HTTPS_PORT = 443

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HOST_AND_PORT = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(?::(.*))?", re.DOTALL)
_LABEL = re.compile(r"\*|[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


class SiteAddress(NamedTuple):
    """One address of a site: the host "" is every host."""

    host: str
    port: int


class AddressError(Exception):
    """What is wrong with an address, from where to where in its text, and what to do."""

    def __init__(self, code: str, message: str, start: int, end: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.start = start
        self.end = end
        self.hint = hint


def parse_address(text: str) -> SiteAddress:
    """
    What a site address means.

    :raises AddressError: E113 if it is malformed, E203 if this version cannot serve it
    """
    scheme, start = _scheme(text)
    slash = text.find("/", start)
    if slash >= 0:
        raise _path(text, slash)
    match = _HOST_AND_PORT.fullmatch(text, start)
    if match is None:
        raise AddressError("E113", "a site address is [scheme://]host[:port]", start, len(text))
    host = _host(match[1], start)
    port = None if match[2] is None else _port(match[2], match.start(2), len(text))
    if not host and port is None and not scheme:
        raise AddressError("E113", "a site address needs a host or a port", 0, len(text), "write `:80` for every host")
    return SiteAddress(host, _served_port(text, scheme, match[0], host, port))


def _scheme(text: str) -> tuple[str, int]:
    match = _SCHEME.match(text)
    if match is None:
        return "", 0
    scheme = match[1].lower()
    if scheme in ("tcp", "udp"):
        raise AddressError("E203", f"this version serves no {scheme}:// sites, only http://", 0, match.end(1))
    if scheme not in ("http", "https"):
        raise AddressError(
            "E113", f'an unknown scheme "{match[1]}" of a site address', 0, match.end(1), Hint("use http://", "http")
        )
    return scheme, match.end()


def _path(text: str, slash: int) -> AddressError:
    site, path = text[:slash], text[slash:].rstrip("*").rstrip("/")
    if not path and site:
        return AddressError(
            "E113", "a site address has no path", slash, len(text), Hint(f"write `{site}`", "", safe=True)
        )
    hint = f"name the site `{site or ':80'}`" + (
        f" and put its directives into `handle {path}/* {{ … }}`" if path else ""
    )
    return AddressError("E113", "a site address has no path: use a path matcher", slash, len(text), hint)


def _host(text: str, start: int) -> str:
    host = text.lower()
    end = start + len(text)
    if host.startswith("["):
        return _ipv6(host, start, end)
    if host == "":
        return host
    for label in host.removesuffix(".").split("."):
        if _LABEL.fullmatch(label) is None:
            raise _bad_label(label, start, end)
    return host.removesuffix(".")


def _ipv6(host: str, start: int, end: int) -> str:
    try:
        return f"[{IPv6Address(host[1:-1])}]"
    except ValueError:
        raise AddressError("E113", f"{host} is no IPv6 address", start, end) from None


def _bad_label(label: str, start: int, end: int) -> AddressError:
    if "*" in label:
        message = f'in a host, `*` stands for one whole label, not for a part of "{label}"'
        hint = "write the `*` alone, as in `*.example.com`"
        return AddressError("E113", message, start, end, hint)
    if label == "":
        message = "a host has an empty label"
    elif not label.isascii():
        return AddressError("E113", "a host is written in ASCII", start, end, _punycode(label))
    else:
        message = f'"{label}" cannot be a label of a host'
    return AddressError("E113", message, start, end)


def _punycode(label: str) -> str | None:
    try:
        return f'write "{label.encode("idna").decode("ascii")}" for "{label}"'
    except UnicodeError:
        return None


def _port(text: str, start: int, end: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise AddressError("E113", "a port is a number from 0 to 65535", start, max(end, start))
    return int(text)


def _served_port(text: str, scheme: str, rest: str, host: str, port: int | None) -> int:
    if scheme == "http":
        return HTTP_PORT if port is None else port
    if scheme == "" and port is not None and port != HTTPS_PORT and (not host or port == HTTP_PORT):
        return port
    if not host and port == HTTPS_PORT:
        hint = Hint("serve plain HTTP on another port, for example `:80`", ":80")
    else:
        plain = f"http://{rest.removesuffix(f':{HTTPS_PORT}')}"
        hint = Hint(f"write `{plain}` to serve it as plain HTTP", plain)
    message = f"{text} means HTTPS, and this version serves plain HTTP only"
    raise AddressError("E203", message, 0, len(text), hint)
