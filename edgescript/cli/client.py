"""How commands talk to a running server: over its admin address."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click

from edgescript.cli import console, edgefile
from edgescript.text.render import clean

#: The environment's variable for the token, where it stands in no Edgefile.
TOKEN = "EDGE_ADMIN_TOKEN"  # noqa: S105  # its name
#: Seconds that the server may take: a reload has all workers compile.
_PATIENCE = 120.0
#: Bytes of one line of an event.
_LONGEST_LINE = 16 * 1024 * 1024


class Answer(NamedTuple):
    """What the server said."""

    status: int
    text: str

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def data(self) -> Any:
        """:raises click.ClickException: if it is no JSON"""
        try:
            return value_of(self.text)
        except ValueError:
            raise click.ClickException("what answers there is no admin address of edge") from None

    def complaint(self) -> click.ClickException:
        """What the server had against it, in its words."""
        try:
            said = value_of(self.text)
            return click.ClickException(str(said.get("detail") or said.get("title") or _harmless(self.text)))
        except (ValueError, AttributeError):
            return click.ClickException(_harmless(self.text).strip() or f"the server answered {self.status}")


def value_of(text: str) -> Any:
    """
    What JSON says, without anything that works on a terminal: whoever has the port may be another program.

    :raises ValueError: if it is none
    """
    return _harmless(json.loads(text))


def _harmless(value: Any) -> Any:
    match value:
        case str():
            return "\n".join(clean(line) for line in value.split("\n"))
        case list():
            return [_harmless(item) for item in value]
        case dict():
            return {name: _harmless(item) for name, item in value.items()}
    return value


def tell(answer: Answer) -> None:
    """
    Show what the server says of a change, with its problems.

    :raises click.ClickException: if it was refused
    """
    if answer.text.startswith("{"):
        raise answer.complaint()
    console.say(_harmless(answer.text), error=not answer.is_good)
    if not answer.is_good:
        raise click.exceptions.Exit(1)


class Unreachable(click.ClickException):
    """No server answers at the admin address."""


class Client:
    """The admin address of one server."""

    def __init__(self, host: str, port: int | None, token: str | None) -> None:
        """
        :param port: None: the host is the path of a unix socket
        """
        self._host = host
        self._port = port
        self._token = token

    def __str__(self) -> str:
        if self._port is None:
            return f"unix/{self._host}"
        return f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}"

    def ask(self, method: str, path: str, *, value: Any = None, accept: str = "application/json") -> Answer:
        """
        :param value: sent as JSON
        :raises Unreachable: if nobody answers
        """
        connection = self._connection()
        headers = self._headers(accept)
        if value is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, None if value is None else json.dumps(value), headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read().decode("utf-8", "replace"))
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from None
        finally:
            connection.close()

    def stream(self, path: str) -> EventStream:
        """
        Server-sent events, as they come.

        :raises Unreachable: if nobody answers
        :raises click.ClickException: if there are none
        """
        connection = self._connection()
        try:
            connection.request("GET", path, headers=self._headers("text/event-stream"))
            sock = connection.sock
            answer = connection.getresponse()
            if answer.status != 200:
                raise Answer(answer.status, answer.read().decode("utf-8", "replace")).complaint()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise self._unreachable(error) from None
        except BaseException:
            connection.close()
            raise
        return EventStream(connection, sock, answer)

    def _headers(self, accept: str) -> dict[str, str]:
        return {"Accept": accept} | ({} if self._token is None else {"Authorization": f"Bearer {self._token}"})

    def _unreachable(self, error: Exception) -> Unreachable:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return Unreachable(f"no server answers at {self}: {why.lower()}")

    def _connection(self) -> http.client.HTTPConnection:
        if self._port is None:
            return _UnixConnection(self._host)
        return http.client.HTTPConnection(self._host, self._port, timeout=_PATIENCE)


class EventStream:
    """Server-sent events that are being received: the name and data of each."""

    def __init__(self, connection: http.client.HTTPConnection, sock: socket.socket, answer: Any) -> None:
        self._connection = connection
        self._socket = sock
        self._answer = answer

    def __enter__(self) -> EventStream:
        return self

    def __exit__(self, *error: object) -> None:
        self._answer.close()
        self._connection.close()

    def close(self) -> None:
        """Have whoever waits for an event see the end."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        name, data = "message", []
        while line := self._answer.readline(_LONGEST_LINE):
            text = line.decode("utf-8", "replace").rstrip("\n")
            if text.startswith("event: "):
                name = text[7:]
            elif text.startswith("data: "):
                data.append(text[6:])
            elif not text and data:
                yield name, "\n".join(data)
                name, data = "message", []


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect("\0" + self._path[1:] if self._path.startswith("@") else self._path)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that talks to a server."""
    command = click.option(
        "--address",
        metavar="ADDRESS",
        help=f"The admin address, host:port or unix//path, whatever the Edgefile says; its token is in {TOKEN}.",
    )(command)
    return click.option("--config", metavar="FILE", help="The Edgefile of the server; it names the admin address.")(
        command
    )


def connect(config: str | None, address: str | None) -> Client:
    """
    The server that is meant: at the address that is given, or the one that the Edgefile names.

    :raises click.ClickException: if it has none
    """
    from edgescript.declare.kinds import KindError
    from edgescript.settings.admin import DEFAULT, Admin, place_of

    token = os.environ.get(TOKEN)
    if address is not None or (config is None and not os.path.exists(edgefile.DEFAULT)):
        try:
            return _client(place_of(address or DEFAULT), Path.cwd(), token)
        except KindError as error:
            raise click.UsageError(f"--address: {error}") from None
    source = edgefile.read(config)
    found = edgefile.understood(source)
    if found.bound is None:
        raise click.ClickException(f"{source.name} cannot be read; --address says where the server is")
    setting = found.bound.settings[Admin]
    if setting.place is None:
        raise click.ClickException(f"{source.name} says `admin off`: the server has no admin address")
    written = None if setting.token is None else str(setting.token.value)
    return _client(setting.place, Path(edgefile.directory(source)), written or token)


def _client(place: Any, directory: Path, token: str | None) -> Client:
    host, port = place
    if port is None:
        return Client(host if host.startswith("@") else str(directory / host), None, token)
    # Every interface is listened on: this machine's own is one of them.
    return Client(host or "127.0.0.1", port, token)
