"""Servers whose site is one Python function, and raw HTTP for talking to them."""

from __future__ import annotations

import dataclasses
import inspect
import re
import socket
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from edgescript.catalog import Catalogue
from edgescript.graph.load import load
from edgescript.graph.match import HostTable
from edgescript.graph.model import Flow, Graph, Program, Site
from edgescript.graph.model import Step as GraphStep
from edgescript.http.exchange import Exchange
from edgescript.http.message import Response
from edgescript.text.source import Source

Step = Callable[[Exchange], Any]

PLAIN = (b"content-type", b"text/plain")


def graph_of(step: Step, options: str = "") -> Graph:
    """A graph with one listener whose every request is answered by `step`; `options` are lines of the global block."""
    text = f"{{\n{options}\n}}\n:80 {{\n respond 200\n}}\n"
    graph, problems = load(Source("Edgefile", text), catalogue=Catalogue.load(), environment={}, directory=".")
    assert graph is not None, problems
    flow = Flow.AWAIT if inspect.iscoroutinefunction(step) else Flow.CALL
    shown = GraphStep("python", "python", None, None, flow, step, 1, 0)
    site = Site((":80",), None, Program((shown,), ((None, step, 1, flow.value),)), ())
    listener = dataclasses.replace(graph.listeners[0], hosts=HostTable([("", site)]))
    return dataclasses.replace(graph, listeners=(listener,), sites=(site,))


@pytest.fixture(scope="session")
def make_graph() -> Callable[..., Graph]:
    """`make_graph(step, options="…")`: see `graph_of`."""
    return graph_of


def hello(exchange: Exchange) -> Response:
    return Response(200, [PLAIN], b"hello")


@pytest.fixture(params=["fast", "hypercorn"])
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def serve_step(servers: Any) -> Callable[..., Any]:
    """`serve_step(step, options="…", engine=…, clock=…)` starts a server that answers every request with `step`."""

    def start(step: Step, options: str = "", **more: Any) -> Any:
        return servers.start(graph_of(step, options), **more)

    return start


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """One connection that reads responses one by one."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.rest = b""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def _more(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            return False
        self.rest += data
        return bool(data)

    def read_until(self, mark: bytes) -> bytes:
        while mark not in self.rest:
            assert self._more(), f"the connection ended before {mark!r}, after {self.rest!r}"
        found, _, self.rest = self.rest.partition(mark)
        return found + mark

    def read(self, count: int) -> bytes:
        while len(self.rest) < count:
            assert self._more(), f"the connection ended {count - len(self.rest)} bytes early"
        found, self.rest = self.rest[:count], self.rest[count:]
        return found

    def read_head(self) -> tuple[int, dict[str, str]]:
        lines = self.read_until(b"\r\n\r\n").decode("latin-1").split("\r\n")[:-2]
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) .*", lines[0])
        assert match is not None, lines
        return int(match[1]), {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }

    def read_answer(self, *, method: str = "GET") -> Answer:
        status, headers = self.read_head()
        if method == "HEAD" or status in (204, 304) or status < 200:
            return Answer(status, headers, b"")
        if "content-length" in headers:
            return Answer(status, headers, self.read(int(headers["content-length"])))
        if headers.get("transfer-encoding") == "chunked":
            return Answer(status, headers, self.read_chunks())
        while self._more():
            pass
        body, self.rest = self.rest, b""
        return Answer(status, headers, body)

    def read_chunks(self) -> bytes:
        pieces = []
        while size := int(self.read_until(b"\r\n").split(b";")[0], 16):
            pieces.append(self.read(size))
            assert self.read(2) == b"\r\n"
        while self.read_until(b"\r\n") != b"\r\n":
            pass
        return b"".join(pieces)

    def closed(self) -> bool:
        """Whether the server closes, without sending anything more."""
        return not self.rest and not self._more()


@pytest.fixture
def connect() -> Any:
    """`connect(server)` gives a `Client`; all are closed at the end."""
    made: list[Client] = []

    def start(server: Any) -> Client:
        made.append(Client(server.connect()))
        return made[-1]

    yield start
    for client in made:
        client.socket.close()
