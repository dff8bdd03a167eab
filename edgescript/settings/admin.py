"""Where the server is worked on while it runs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Annotated, Any, NamedTuple

from edgescript.declare import values
from edgescript.declare.entries import Complaint, setting
from edgescript.declare.fields import arg, option
from edgescript.declare.kinds import Kind, KindError, Scope, Secret

#: Where it listens if nothing is written. Caddy's is the same.
DEFAULT = "127.0.0.1:2019"
PORT = 2019

#: A token that can be guessed is none.
_SHORTEST_TOKEN = 16

#: RFC 6750 2.1, what stands behind "Bearer".
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_ORIGIN = re.compile(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.IGNORECASE)


class Place(NamedTuple):
    """Where the admin address is: a host and its port, or the file of a unix socket and no port."""

    #: "" is every interface.
    host: str
    port: int | None


def place_of(text: str) -> Place:
    """:raises KindError: if it is no address of one machine"""
    address = values.address(text)
    if address.is_unix:
        return Place(address.path, None)
    if address.scheme or "*" in address.host:
        raise KindError("expected an address such as 127.0.0.1:2019", 0, len(text))
    return Place(address.host, PORT if address.port is None else address.port)


def _address(text: str, scope: Scope) -> str:
    if text != "off":
        place_of(text)
    return text


def _token(text: str, scope: Scope) -> Secret:
    if len(text) < _SHORTEST_TOKEN or _TOKEN.fullmatch(text) is None:
        message = f"expected at least {_SHORTEST_TOKEN} letters and digits, or . _ ~ + / -"
        raise KindError(message, hint="openssl rand -hex 24 makes a good one", is_secret=True)
    return Secret(text)


def _show_token(token: Secret) -> str:
    """Something that changes with it, for `edge plan`."""
    return f"***{hashlib.sha256(token.value.encode()).hexdigest()[:8]}"


def _origin(text: str, scope: Scope) -> str:
    if _ORIGIN.fullmatch(text) is None:
        raise KindError("expected the origin of web pages, such as https://ops.example.com", 0, len(text))
    return text.lower()


AdminAddress = Annotated[
    str,
    Kind(
        "address or off",
        "an address such as 127.0.0.1:2019, or off",
        ("127.0.0.1:2019", "unix//run/edge/admin.sock", "off"),
        _address,
    ),
]
Token = Annotated[Any, Kind("token", "a token", ("0123456789abcdef0123456789abcdef",), _token, _show_token)]
Origin = Annotated[str, Kind("origin", "an origin", ("https://ops.example.com", "http://localhost:3000"), _origin)]


@setting("admin")
class Admin:
    """
    Where the server is worked on while it runs: its state, metrics, logs and configuration, and the dashboard.

    Without this line it is `127.0.0.1:2019`, and if another program has that address, the server runs without one. Everybody
    who can log in to the machine can reach that; `unix//run/edge/admin.sock` is for the user that runs the server, and root.
    An address that other machines can reach needs a `token`, which clients send as `Authorization: Bearer TOKEN`, and which
    a browser asks for as the password. Keep the token out of the file: `token {$EDGE_ADMIN_TOKEN}` has it from the
    environment.

    ```edge-test
    {
        admin unix//run/edge/admin.sock {
            origins https://ops.example.com
        }
    }
    :80 {
        respond 200 "hello"
    }
    test "an ordinary request is served" {
        request GET http://localhost/
        expect status 200
    }
    ```
    """

    address: AdminAddress | None = arg("Where to listen: `host:port`, `unix//path`, or `off`.")
    token: Token | None = option("What a client must know, where the address is no unix socket.")
    origins: tuple[Origin, ...] = option("Other web pages that may use it, as their browsers name them.", default=None)
    users: tuple[int, ...] = option(
        "Who may use a unix socket beside root and the server's own user: the numbers of users.", default=None
    )

    def check(self) -> Iterator[Complaint]:
        place = self.place
        if place is not None and place.port is not None and self.token is None and not is_loopback(place.host):
            hint = "write token {$EDGE_ADMIN_TOKEN} in its block, or listen on 127.0.0.1:2019 only"
            yield Complaint("address", "other machines can reach this address, and there is no token", hint)

    @property
    def place(self) -> Place | None:
        """Where it is; None if it is off."""
        return None if self.address == "off" else place_of(self.address or DEFAULT)


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine can reach a host."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
