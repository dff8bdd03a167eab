"""A reload in two phases: what can fail comes first and changes nothing."""

from __future__ import annotations

import dataclasses
import socket
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import pytest

from edgescript.graph.model import Graph
from edgescript.runtime.compose import serving
from edgescript.server.listen import ListenError

GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


class Resource:
    """Tells what is done with it, and cannot be started where it is told so."""

    def __init__(self, *, fails: bool = False) -> None:
        self.told: list[str] = []
        self._fails = fails

    async def start(self, tasks: anyio.abc.TaskGroup) -> None:
        self.told.append("start")
        if self._fails:
            raise OSError("it cannot be had")

    async def close(self) -> None:
        self.told.append("close")


def with_resource(graph: Graph, resource: Resource) -> Graph:
    return dataclasses.replace(graph, resources=(*graph.resources, resource))


def body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def test_what_was_prepared_answers_nothing_before_it_is_committed(no_leaks: None, reloading: Any) -> None:
    server = reloading.start(":80 {\n respond one\n}")
    prepared = server.call(server.server.prepare, reloading.graph(":80 {\n respond two\n}"))
    assert body(server.exchange(GET)) == b"one"
    server.call(server.server.commit, prepared)
    assert body(server.exchange(GET)) == b"two"


def test_what_was_abandoned_is_closed_and_changes_nothing(no_leaks: None, reloading: Any) -> None:
    server = reloading.start(":80 {\n respond one\n}")
    resource = Resource()
    graph = with_resource(reloading.graph(":80 {\n respond two\n}\n:81 {\n respond new\n}"), resource)
    prepared = server.call(server.server.prepare, graph)
    assert resource.told == ["start"]
    server.call(server.server.abandon, prepared)
    assert resource.told == ["start", "close"]
    assert body(server.exchange(GET)) == b"one"
    assert len(server.server.addresses) == 1


def test_a_graph_that_cannot_be_started_changes_nothing(no_leaks: None, reloading: Any) -> None:
    server = reloading.start(":80 {\n respond one\n}")
    sound, broken = Resource(), Resource(fails=True)
    graph = reloading.graph(":80 {\n respond two\n}\n:81 {\n respond new\n}")
    with pytest.raises(OSError, match="it cannot be had"):
        server.call(server.server.prepare, with_resource(with_resource(graph, sound), broken))
    assert (sound.told, broken.told) == (["start", "close"], ["start", "close"])
    assert body(server.exchange(GET)) == b"one"
    assert server.call(lambda: server.server.retired) == 0


def test_an_address_that_cannot_be_had_changes_nothing(no_leaks: None, reloading: Any, tmp_path: Path) -> None:
    server = reloading.start(":80 {\n respond one\n}")
    path = tmp_path / "edge.sock"
    resource = Resource()
    text = f":80 {{\n respond two\n}}\n:80 {{\n bind unix/{path}\n respond new\n}}"
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(str(path))
        taken.listen()
        with pytest.raises(ListenError, match="in use"):
            server.call(server.server.replace, with_resource(reloading.graph(text), resource))
    assert resource.told == ["close"]
    assert body(server.exchange(GET)) == b"one"


def test_a_graph_that_was_prepared_before_another_one_came_is_not_taken_over(no_leaks: None, reloading: Any) -> None:
    server = reloading.start(":80 {\n respond one\n}")
    resource = Resource()
    stale = server.call(server.server.prepare, with_resource(reloading.graph(":80 {\n respond two\n}"), resource))
    reloading.reload(":80 {\n respond three\n}")
    with pytest.raises(RuntimeError, match="meanwhile"):
        server.call(server.server.commit, stale)
    assert resource.told == ["start", "close"]
    assert body(server.exchange(GET)) == b"three"


def test_sockets_of_somebody_else_are_taken_and_their_files_left(no_leaks: None, reloading: Any, engine: Any) -> None:
    path = str(reloading._directory / "edge.sock")
    one = f":80 {{\n bind unix/{path}\n respond one\n}}"
    two = ":8080 {\n respond two\n}"

    async def ask(address: Any) -> bytes:
        stream = await (anyio.connect_unix(address) if isinstance(address, str) else anyio.connect_tcp(*address))
        async with stream:
            await stream.send(GET)
            answer = b""
            with anyio.fail_after(20):
                async for piece in stream:
                    answer += piece
        return body(answer)

    async def check() -> None:
        owner, tcp = socket.socket(socket.AF_UNIX), socket.create_server(("127.0.0.1", 0))
        with owner, tcp:
            owner.bind(path)
            owner.listen()
            given = {(path, None): owner.dup()}
            async with serving(reloading.graph(one), engine=engine, sockets=given) as server:
                assert await ask(path) == b"one"
                unused = tcp.dup()
                with pytest.raises(ListenError, match="there is no socket for :8080"):
                    await server.prepare(reloading.graph(two), {("", 8081): unused})
                assert unused.fileno() == -1, "it is closed"
                await server.replace(reloading.graph(two), {("", 8080): tcp.dup()})
                assert await ask(tcp.getsockname()) == b"two"
            assert Path(path).exists()  # noqa: ASYNC240  # nothing else runs
            # What the owner still has is as good as it was.
            async with serving(reloading.graph(one), engine=engine, sockets={(path, None): owner.dup()}):
                assert await ask(path) == b"one"

    anyio.run(check, backend_options={"use_uvloop": True})


def test_a_first_graph_that_cannot_be_started_is_closed(reloading: Any, servers: Any, engine: Any) -> None:
    resource = Resource(fails=True)
    with pytest.raises(OSError, match="it cannot be had"):
        servers.start(with_resource(reloading.graph(":80 {\n respond one\n}"), resource), engine=engine)
    servers._running.clear()
    assert resource.told == ["start", "close"]
