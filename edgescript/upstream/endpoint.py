"""One server behind us: where it is, and how to reach it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import asyncio

    from edgescript.upstream.tls import ClientTls

P = TypeVar("P", bound="asyncio.BaseProtocol")

#: Schemes that are spoken, with their default ports.
PORTS = {"http": 80, "https": 443}


class Detour(Protocol):
    """Where connections go instead, while a test stands in for upstreams."""

    async def __call__(self, address: str, factory: Callable[[], P]) -> P:
        """A connection to whatever stands in for an `Endpoint.address`; raises OSError where nothing does."""


DETOUR: ContextVar[Detour | None] = ContextVar("DETOUR", default=None)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server, and with `tls` how to speak TLS to it."""

    scheme: str
    host: str
    port: int
    #: The file of a unix socket, in place of host and port.
    path: str | None = None
    tls: ClientTls | None = None
    #: The name that its certificate must have, where that is not `host`.
    server_name: str | None = None

    @property
    def address(self) -> str:
        """For people and `{upstream.address}`: `10.0.0.1:8080`, `unix//run/app.sock`."""
        return f"{self._bracketed}:{self.port}" if self.path is None else f"unix/{self.path}"

    @property
    def origin(self) -> str:
        """The beginning of a URL: `http://10.0.0.1:8080`."""
        return f"{self.scheme}://{self.authority}" if self.path is None else f"{self.scheme}+unix/{self.path}"

    @property
    def authority(self) -> str:
        """What a Host field says that means this server."""
        if self.path is not None:
            return "localhost"
        return self._bracketed if self.port == PORTS[self.scheme] else f"{self._bracketed}:{self.port}"

    @property
    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    async def dial(self, factory: Callable[[], P]) -> P:
        """
        A new connection.

        :raises OSError: if there is none to be had, or TLS fails
        """
        import asyncio  # only where there is a loop; see `pool`

        detour = DETOUR.get()
        if detour is not None:
            return await detour(self.address, factory)
        loop = asyncio.get_running_loop()
        tls = None if self.tls is None else self.tls()
        name = None if tls is None else self.server_name or self.host
        if self.path is not None:
            # A leading @ is the abstract namespace, as in Caddy.
            path = f"\0{self.path[1:]}" if self.path.startswith("@") else self.path
            _, protocol = await loop.create_unix_connection(factory, path, ssl=tls, server_hostname=name)
        else:
            _, protocol = await loop.create_connection(factory, self.host, self.port, ssl=tls, server_hostname=name)
        return protocol
