"""Sockets of outputs: how they are opened, and how long anything may take; used by a writer's thread, which may wait."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from typing import Literal

#: Seconds for a connection, and for one piece of data to be taken.
TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where an output is."""

    scheme: Literal["udp", "tcp", "tls", "unix"]
    #: Of unix: the path.
    host: str
    port: int = 0
    #: Of tls: a file with certificates to trust instead of the system's, and the name to expect instead of the host.
    trust_file: str | None = None
    server_name: str | None = None


def connect(address: Address) -> tuple[socket.socket, bool]:
    """
    A connected socket, and whether it keeps messages apart by itself.

    :raises OSError: if there is nobody, or nobody trusted
    """
    if address.scheme == "unix":
        return _connect_unix(address.host)
    if address.scheme == "udp":
        return _connect_udp(address), True
    plain = socket.create_connection((address.host, address.port), TIMEOUT)
    if address.scheme == "tcp":
        return plain, False
    try:
        return _secured(plain, address), False
    except BaseException:
        plain.close()
        raise


def _connect_unix(path: str) -> tuple[socket.socket, bool]:
    """`/dev/log` takes datagrams, as a rule; some take a stream."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        made = socket.socket(socket.AF_UNIX, kind)
        made.settimeout(TIMEOUT)
        try:
            made.connect(path)
            return made, kind is socket.SOCK_DGRAM
        except OSError as error:
            made.close()
            if kind is socket.SOCK_STREAM or error.errno != errno.EPROTOTYPE:
                raise
    raise AssertionError("the last kind connects or raises")


def _connect_udp(address: Address) -> socket.socket:
    family, kind, protocol, _, where = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)[0]
    made = socket.socket(family, kind, protocol)
    made.settimeout(TIMEOUT)
    try:
        made.connect(where)
    except BaseException:
        made.close()
        raise
    return made


def _secured(plain: socket.socket, address: Address) -> socket.socket:
    import ssl

    context = ssl.create_default_context(cafile=address.trust_file)
    return context.wrap_socket(plain, server_hostname=address.server_name or address.host)


def is_closed_by_peer(connection: socket.socket) -> bool:
    """Whether the other side has gone: a first write would be lost without anybody saying so."""
    connection.settimeout(0)
    try:
        return connection.recv(1024) == b""
    except (BlockingIOError, InterruptedError):
        return False
    except OSError as error:
        # TLS has a word of its own for "nothing there".
        return type(error).__name__ not in ("SSLWantReadError", "SSLWantWriteError")
    finally:
        connection.settimeout(TIMEOUT)
