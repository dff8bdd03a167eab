"""Where a Redis is, read from a URL. Its password is in the value, and in no text that is made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from edgescript.text.secret import Secret

#: Schemes, without the `s` of TLS, with how the servers stand together.
TOPOLOGIES = {"redis": "single", "redis+cluster": "cluster", "redis+sentinel": "sentinel", "redis+unix": "unix"}
PORTS = {"single": 6379, "cluster": 6379, "sentinel": 26379}
EXAMPLE = "redis://localhost:6379/0"

_SCHEME = re.compile(r"(rediss?(?:\+[a-z]+)?|unix)://(.*)", re.DOTALL)
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?")
_NAME = re.compile(r"[A-Za-z0-9._-]+")


class UrlError(ValueError):
    """A URL that says no place; the message quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """One server, or several that stand together."""

    #: "single", "unix", "cluster", "sentinel".
    topology: str
    hosts: tuple[tuple[str, int], ...] = ()
    #: Of a unix socket.
    path: str | None = None
    #: What the sentinels call their servers.
    service: str | None = None
    database: int = 0
    user: str | None = None
    password: Secret | None = None
    tls: bool = False

    def __str__(self) -> str:
        """The URL, with stars for the password."""
        scheme = next(name for name, topology in TOPOLOGIES.items() if topology == self.topology)
        if self.tls:
            scheme = scheme.replace("redis", "rediss", 1)
        who = f"{self.user or ''}{':***' if self.password is not None else ''}"
        where = self.path or ",".join(
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts
        )
        parts = [self.service] if self.service else []
        parts += [str(self.database)] if self.database and self.topology != "unix" else []
        database = f"?db={self.database}" if self.database and self.topology == "unix" else ""
        return f"{scheme}://{who}{'@' if who else ''}{where}{''.join(f'/{part}' for part in parts)}{database}"


def parse(text: str) -> RedisUrl:
    """
    The place that a URL says.

    :raises UrlError: if it says none
    """
    found = _SCHEME.fullmatch(text)
    scheme = found[1] if found else ""
    tls = scheme.startswith("rediss")
    plain = "redis+unix" if scheme == "unix" else scheme.replace("rediss", "redis", 1)
    if found is None or plain not in TOPOLOGIES:
        raise UrlError(f"expected a URL such as {EXAMPLE}")
    topology = TOPOLOGIES[plain]
    if tls and topology == "unix":
        raise UrlError("a unix socket is not spoken to with TLS")
    credentials, at, where = found[2].rpartition("@")
    user, password = _credentials(credentials) if at else (None, None)
    if topology == "unix":
        path, database = _socket(where)
        return RedisUrl(topology, (), path, None, database, user, password)
    servers, _, path = where.partition("/")
    hosts = tuple(_host(one, PORTS[topology]) for one in servers.split(","))
    if topology == "single" and len(hosts) > 1:
        raise UrlError("several servers are a cluster (redis+cluster://) or sentinels (redis+sentinel://)")
    service, database = _path(topology, path)
    return RedisUrl(topology, hosts, None, service, database, user, password, tls)


def _credentials(text: str) -> tuple[str | None, Secret | None]:
    user, colon, password = text.partition(":")
    return unquote(user) or None, Secret(unquote(password)) if colon else None


def _host(text: str, port: int) -> tuple[str, int]:
    found = _HOST.fullmatch(text)
    if found is None or not 0 < int(found[3] or port) < 65536:
        raise UrlError(
            "expected a host and perhaps a port, such as localhost:6379; @, : and / in a password are written %40, %3A and %2F"
        )
    return found[1] or found[2], int(found[3] or port)


def _path(topology: str, text: str) -> tuple[str | None, int]:
    parts = text.split("/") if text else []
    service = None
    if topology == "sentinel":
        if not parts or _NAME.fullmatch(parts[0]) is None:
            raise UrlError("a URL of sentinels ends with the name of the service, such as /mymaster")
        service = parts.pop(0)
    if topology == "cluster" and parts not in ([], ["0"]):
        raise UrlError("a cluster has no databases")
    if len(parts) > 1:
        raise UrlError("after the host comes the number of the database, and nothing else")
    return service, _database(parts[0]) if parts else 0


def _socket(text: str) -> tuple[str, int]:
    parts = urlsplit(text)
    if not parts.path.startswith("/") or parts.netloc or parts.fragment:
        raise UrlError("expected the absolute path of a socket, such as unix:///run/redis.sock")
    if parts.query and not parts.query.startswith("db="):
        raise UrlError("after the path of a socket may come ?db=NUMBER, and nothing else")
    return unquote(parts.path), _database(parts.query[3:]) if parts.query else 0


def _database(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,4}", text) is None:
        raise UrlError("the number of a database is a whole number")
    return int(text)
