"""Endpoints and TLS options, from what an Edgefile says to what the room of upstreams takes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Annotated, NamedTuple

from edgescript.declare import values
from edgescript.declare.entries import Complaint
from edgescript.declare.kinds import ADDRESS, Kind, KindError, Scope
from edgescript.declare.values import Address
from edgescript.upstream.endpoint import PORTS, Endpoint
from edgescript.upstream.tls import ClientTls

#: What is known, but not spoken yet.
_LATER = {
    "h2c": "HTTP/2 to upstreams",
    "srv+http": "looking up endpoints in DNS",
    "srv+https": "looking up endpoints in DNS",
    "tcp": "TCP",
    "udp": "UDP",
}


def _endpoint_address(text: str, scope: Scope) -> Address:
    if "{" in text:
        message = (
            "the address of an endpoint cannot have placeholders: a client could choose where this server connects to"
        )
        raise KindError(message, text.index("{"), len(text), "write the servers out, each behind a matcher of its own")
    return values.address(text)


#: An address of its own kind, for what is wrong only with an endpoint's.
EndpointAddress = Annotated[
    Address,
    Kind(
        "endpoint",
        "the address of a server, such as 10.0.0.1:8080",
        ("10.0.0.1:8080", ":8080", "http://10.0.0.1:80", "https://app.example.com", "unix//run/app.sock", "[::1]:8080"),
        _endpoint_address,
        ADDRESS.show,
    ),
]


def complaints_about(field: str, address: Address) -> Iterator[Complaint]:
    """What is wrong with an address as one of an endpoint."""
    if address.scheme in _LATER:
        message = f'"{address.text}": {_LATER[address.scheme]} is not supported by this version'
        yield Complaint(field, message, "an endpoint is reached by http://, https:// or unix//", "E204")
    elif address.path not in ("", "/") and not address.is_unix:
        hint = f'write the address without it, and "rewrite {address.path.rstrip("/")}{{path}}" in the block'
        yield Complaint(field, f'"{address.text}": the address of an endpoint has no path', hint)
    elif "*" in address.host:
        yield Complaint(field, f'"{address.text}": the address of an endpoint is one host', None)


class Tls(NamedTuple):
    """What the options of TLS say."""

    asked_for: bool
    server_name: str | None
    skip_verify: bool
    #: Files, relative to the Edgefile.
    trust_pool: str | None
    client_auth: tuple[str, str] | None

    def is_used_by(self, address: Address) -> bool:
        """Whether an endpoint is reached by TLS; without a scheme, each of the options asks for it."""
        if address.scheme in ("http", "https"):
            return address.scheme == "https"
        options = (self.server_name, self.trust_pool, self.client_auth)
        return self.asked_for or self.skip_verify or any(value is not None for value in options)


def endpoints_of(addresses: Sequence[Address], tls: Tls, directory: str) -> list[Endpoint]:
    """
    The endpoints, ready to be dialled.

    :raises OSError: if a certificate cannot be read
    """
    secure = [tls.is_used_by(address) for address in addresses]
    spoken = _spoken(tls, directory) if any(secure) else None
    return [
        _endpoint(address, spoken if is_secure else None, tls.server_name)
        for address, is_secure in zip(addresses, secure, strict=True)
    ]


def _endpoint(address: Address, tls: ClientTls | None, server_name: str | None) -> Endpoint:
    scheme = "http" if tls is None else "https"
    return Endpoint(
        scheme,
        address.host or "localhost",
        address.port or PORTS[scheme],
        path=address.path if address.is_unix else None,
        tls=tls,
        server_name=server_name,
    )


def _spoken(tls: Tls, directory: str) -> ClientTls:
    return ClientTls(
        trust_file=_path(tls.trust_pool, directory),
        certificate=_path(tls.client_auth[0], directory) if tls.client_auth else None,
        key=_path(tls.client_auth[1], directory) if tls.client_auth else None,
        verify=not tls.skip_verify,
    )


def _path(path: str | None, directory: str) -> str | None:
    return None if path is None else os.path.join(directory, path)
