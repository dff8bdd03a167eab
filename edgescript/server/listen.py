"""Sockets for the addresses that a graph listens on, and the fast lane behind each."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass

from edgescript.graph.model import Listener
from edgescript.server.bounds import Bounds
from edgescript.server.http1 import Connection
from edgescript.server.lane import Lane

_BACKLOG = 4096


class ListenError(Exception):
    """An address that cannot be listened on; the message is one line for the person who asked for it."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a listener really listens: port 0 has become a port."""

    #: "" for every interface.
    host: str
    port: int | None

    def __str__(self) -> str:
        if self.port is None:
            return f"unix/{self.host}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def bind(listener: Listener, *, port: int | None = None) -> socket.socket:
    """
    A listening socket for a listener. An empty host is every interface, by IPv6 and IPv4 where the system has both.

    :param port: instead of the listener's own; 0 for any that is free
    :raises ListenError: if it cannot be had
    """
    if listener.port is None:
        return _bind_unix(listener.host)
    return _bind_tcp(listener.host, listener.port if port is None else port)


def _bind_tcp(host: str, port: int) -> socket.socket:
    try:
        if not host:
            return _bind_every_interface(port)
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return _listening(family, address)
    except OSError as error:
        raise ListenError(f"cannot listen on {Address(host, port)}: {_reason(error)}") from None


def _bind_every_interface(port: int) -> socket.socket:
    try:
        return _listening(socket.AF_INET6, ("::", port))
    except OSError as error:
        if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            raise
    return _listening(socket.AF_INET, ("0.0.0.0", port))  # noqa: S104  # no host was written: every interface is meant


def _listening(family: int, address: object) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address[0] != "::"))  # type: ignore[index]
        made.bind(address)  # type: ignore[arg-type]
        made.listen(_BACKLOG)
        made.setblocking(False)
    except BaseException:
        made.close()
        raise
    return made


def _bind_unix(path: str) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_dead_socket(path)
        made.bind("\0" + path[1:] if path.startswith("@") else path)
        made.listen(_BACKLOG)
        made.setblocking(False)
    except OSError as error:
        made.close()
        raise ListenError(f"cannot listen on unix/{path}: {_reason(error)}") from None
    return made


def _remove_dead_socket(path: str) -> None:
    """Remove a socket file that a killed server has left, but none that still has a listener."""
    with contextlib.suppress(FileNotFoundError):
        if path.startswith("@") or not stat.S_ISSOCK(os.stat(path).st_mode):
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            if probe.connect_ex(path) == errno.ECONNREFUSED:
                os.unlink(path)


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the address is in use by another program"
    if error.errno == errno.EACCES:
        return "no permission; ports below 1024 need root or the capability CAP_NET_BIND_SERVICE"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine does not have that address"
    return (error.strerror or str(error)).lower()


def address_of(listener: Listener, bound: socket.socket) -> Address:
    """Where a bound listener listens."""
    if listener.port is None:
        return Address(listener.host, None)
    return Address(listener.host, bound.getsockname()[1])


def unbind(bound: socket.socket, path: str | None) -> None:
    """
    Close a listening socket.

    :param path: of a unix socket: its file, which is removed
    """
    bound.close()
    if path is not None and not path.startswith("@"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


class Listening:
    """
    One listener that is being served by the fast lane.

    :param path: of a unix socket: its file, which is removed with it
    """

    def __init__(self, listener: Listener, bound: socket.socket, path: str | None) -> None:
        self.listener = listener
        self._socket = bound
        self._path = path
        self._server: asyncio.Server | None = None
        self._lane: Lane | None = None

    @property
    def lane(self) -> Lane:
        assert self._lane is not None, "prepare comes first"
        return self._lane

    async def prepare(self, bounds: Bounds, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Make everything ready, and accept nothing yet."""
        loop = asyncio.get_running_loop()
        lane = self._lane = Lane(self.listener, bounds, loop=loop, clock=clock)
        create = loop.create_unix_server if self.listener.port is None else loop.create_server
        self._server = await create(lambda: Connection(lane), sock=self._socket, backlog=_BACKLOG, start_serving=False)

    async def start(self) -> None:
        """Begin to accept connections."""
        assert self._server is not None, "prepare comes first"
        await self._server.start_serving()

    def replace(self, listener: Listener, bounds: Bounds) -> None:
        """Answer new requests by another graph's listener for the same address."""
        self.listener = listener
        self.lane.replace(listener, bounds)

    def close(self) -> None:
        """Stop accepting."""
        if self._server is not None:
            self._server.close()
            self._server = None
            unbind(self._socket, self._path)

    def retire(self) -> None:
        """Stop accepting; what is in flight takes as long as it takes, and no connection begins another request."""
        self.close()
        self.lane.retire()

    async def stop(self, grace_period: float) -> None:
        """Stop accepting, let what is in flight finish within `grace_period` seconds, and cut off the rest."""
        self.close()
        await self.lane.drain(grace_period)
