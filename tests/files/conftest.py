from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from edgescript.files.answer import FileServer, Options
from edgescript.files.resolve import Hidden
from edgescript.http.body import FileRange, Sink
from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers, first
from edgescript.http.message import HTTPError, Response


class Client:
    """A connection that nobody writes to."""

    remote_ip = local_ip = "127.0.0.1"
    remote_port = local_port = 1
    scheme = "http"
    trust = None
    can_upgrade = False

    def inform(self, status: int, headers: Headers) -> None:
        raise AssertionError("files have nothing to say in advance")


def exchange(target: str | bytes, method: str = "GET", headers: dict[str, str] | None = None) -> Exchange:
    raw = target if isinstance(target, bytes) else target.encode()
    given = {"host": "example.com", **(headers or {})}
    fields = [(name.lower().encode(), value.encode("latin-1")) for name, value in given.items()]
    return Exchange(Client(), method.encode(), raw, "1.1", fields, b"", 0.0)


@dataclass
class Recorder(Sink):
    """A sink that keeps what it is given, and pauses its body after every `pause_every` writes."""

    body: object = None
    pause_every: int = 0
    data: bytearray = field(default_factory=bytearray)
    writes: int = 0
    ended: bool = False
    error: Exception | None = None

    def write(self, data: bytes) -> None:
        self.data += data
        self.writes += 1
        if self.pause_every and self.writes % self.pause_every == 0:
            self.body.pause()

    def end(self, trailers: Headers) -> None:
        self.ended = True

    def fail(self, error: Exception) -> None:
        self.error = error


def content(response: Response) -> bytes:
    """The bytes of a response's body; closes what an engine would close."""
    body = response.body
    if isinstance(body, bytes):
        return body
    if isinstance(body, FileRange):
        with open(body.descriptor, "rb") as file:
            file.seek(body.offset)
            return file.read(body.length)
    sink = Recorder()
    body.start(sink)
    assert sink.ended
    return bytes(sink.data)


@dataclass
class Answer:
    """A response as a test looks at it; an error is what it would be answered as."""

    status: int
    headers: Headers
    body: bytes = b""

    def __getitem__(self, name: str) -> str | None:
        value = first(self.headers, name.encode())
        return None if value is None else value.decode("latin-1")


class Site:
    """A folder with files, and the server that answers for it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.options = Options(hidden=Hidden(directory=str(root)))
        self.server = FileServer(self.options)

    def configure(self, **changes: object) -> Site:
        self.options = replace(self.options, **changes)
        self.server = FileServer(self.options)
        return self

    def write(self, path: str, data: bytes | str = b"") -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data.encode() if isinstance(data, str) else data)
        return file

    def response(self, asked: Exchange) -> Response | None:
        return self.server.answer(asked, str(self.root))

    def ask(self, target: str | bytes, method: str = "GET", **headers: str) -> Answer:
        return self.answer(exchange(target, method, {name.replace("_", "-"): value for name, value in headers.items()}))

    def answer(self, asked: Exchange) -> Answer:
        try:
            response = self.response(asked)
        except HTTPError as error:
            return Answer(error.status, error.headers)
        assert response is not None
        return Answer(response.status, response.headers, content(response))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    root = tmp_path / "root"
    root.mkdir()
    return Site(root)


@pytest.fixture
def make_exchange() -> Callable[..., Exchange]:
    return exchange


@pytest.fixture
def recorder() -> type[Recorder]:
    return Recorder
