"""Who may use the admin address. Every rule refuses with an HTTPError that says what was wrong.

Three sorts of people must stay outside. Programs of others: a unix socket is asked whose they are, an address that machines can
reach asks for the token. Web pages that a browser on this machine has open: they are cross-site, which the browser says in
`Origin` and `Sec-Fetch-Site`. And pages that had their own name resolve to this machine (DNS rebinding): the browser believes
them to be same-origin, but the `Host` that it sends is theirs.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import socket
import struct
from dataclasses import dataclass

from edgescript.http.exchange import Exchange
from edgescript.http.headers import combined, first
from edgescript.http.message import HTTPError
from edgescript.settings.admin import Admin, is_loopback

SAFE = frozenset((b"GET", b"HEAD", b"OPTIONS"))

#: Types that a form of any web page can send without asking (Fetch 2.2.2, "CORS-safelisted").
_SIMPLE_TYPES = frozenset(("application/x-www-form-urlencoded", "multipart/form-data", "text/plain"))

#: Both ways to show the token: as programs do (RFC 6750), and as a browser asks for it (RFC 7617; any user name).
_CHALLENGES = [
    (b"www-authenticate", b'Bearer realm="edge"'),
    (b"www-authenticate", b'Basic realm="edge", charset="UTF-8"'),
]


@dataclass(frozen=True, slots=True)
class Policy:
    """What is allowed, resolved from the setting."""

    #: Names that the address goes by, beside loopback ones and the IP that a client has connected to.
    hosts: frozenset[str]
    #: Other pages that may use it.
    origins: frozenset[str]
    #: None: no token is asked for.
    token: bytes | None
    #: Users that may use a unix socket; None where it is none.
    users: frozenset[int] | None


def policy_of(setting: Admin) -> Policy:
    place = setting.place
    unix = place is not None and place.port is None
    hosts = [origin.partition("://")[2] for origin in setting.origins]
    if place is not None and not unix and place.host:
        hosts.append(place.host.lower())
    return Policy(
        hosts=frozenset(_name(host) for host in hosts),
        origins=frozenset(setting.origins),
        token=None if setting.token is None or unix else setting.token.value.encode(),
        users=frozenset((0, os.geteuid(), *setting.users)) if unix else None,
    )


def _name(host: str) -> str:
    """A host without its port, and an IPv6 address without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host if host.count(":") > 1 else host.partition(":")[0]


def admit(exchange: Exchange, policy: Policy) -> None:
    """
    Let a request pass, or not.

    :raises HTTPError: 401, 403 or 415, with the reason
    """
    if policy.users is None:
        check_host(exchange.host, exchange.client.local_ip, policy)
    else:
        check_user(peer_user(exchange), policy.users)
    check_site(exchange, policy)
    if policy.token is not None and not _is_preflight(exchange, policy):
        check_token(first(exchange.headers, b"authorization"), policy.token)


# ---- the peer of a unix socket


def peer_user(exchange: Exchange) -> int | None:
    """The user that has connected to a unix socket; None where the system does not say."""
    transport = getattr(exchange.client, "transport", None)
    if transport is None or not hasattr(socket, "SO_PEERCRED"):
        return None
    size = struct.calcsize("3i")
    with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as peer:
        _, user, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return int(user)


def check_user(user: int | None, users: frozenset[int]) -> None:
    """The mode of the socket's file keeps others out too; this holds if somebody has changed it."""
    if user is not None and user not in users:
        raise HTTPError(403, f"the user {user} may not use this socket")


# ---- the host, against DNS rebinding


def check_host(host: str, local_ip: str, policy: Policy) -> None:
    """A page that rebinds has a name of its own, which no IP address can be."""
    name = _name(host)
    if not (is_loopback(name) or name == local_ip or name in policy.hosts):
        raise HTTPError(403, f'the host "{host}" is not one of this address; `origins` may name it')


# ---- other sites


def check_site(exchange: Exchange, policy: Policy) -> None:
    """Refuse what a browser sends for a page of another site, whether it says so or not."""
    origin = _text(exchange, b"origin")
    if origin in policy.origins:
        return
    own = f"{exchange.client.scheme}://{_text(exchange, b'host')}"
    if origin is not None and origin.lower() != (own or "").lower():
        raise HTTPError(403, f"pages of {origin[:200]} may not use this address; `origins` may name it")
    relation = _text(exchange, b"sec-fetch-site")
    if relation not in (None, "same-origin", "none"):
        raise HTTPError(403, "pages of other sites may not use this address")
    if exchange.method not in SAFE and origin is None and relation is None:
        kind = (_text(exchange, b"content-type") or "").partition(";")[0].strip().lower()
        if kind in _SIMPLE_TYPES:
            raise HTTPError(415, f"any web page can send {kind}; say what it is: application/json, or text/edgefile")


def _is_preflight(exchange: Exchange, policy: Policy) -> bool:
    """What a browser asks before a page of another origin may write: it never has credentials (Fetch 3.3.5)."""
    return exchange.method == b"OPTIONS" and _text(exchange, b"origin") in policy.origins


def _text(exchange: Exchange, name: bytes) -> str | None:
    value = combined(exchange.headers, name)
    return None if value is None else value.decode("latin-1")


# ---- the token


def check_token(authorization: bytes | None, token: bytes) -> None:
    shown = shown_token(authorization)
    if shown is None:
        raise HTTPError(401, "a token is needed: Authorization: Bearer TOKEN", [*_CHALLENGES])
    if not hmac.compare_digest(shown, token):
        raise HTTPError(401, "the token is wrong", [*_CHALLENGES])


def shown_token(authorization: bytes | None) -> bytes | None:
    """The token that a client shows, or None."""
    scheme, _, rest = (authorization or b"").strip().partition(b" ")
    if scheme.lower() == b"bearer":
        return rest.strip()
    if scheme.lower() == b"basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return None
    return None
