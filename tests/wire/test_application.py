"""`edgescript.asgi`: an Edgefile as an application for somebody else's server."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import httpx
import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.utils import LifespanFailureError

from edgescript.asgi import Application, EdgefileError, application, from_environment


def test_an_edgefile_answers_as_an_application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site.edge").write_text(":80 {\n    files public\n}\n")
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "hello.txt").write_text("hello")
    monkeypatch.setenv("EDGEFILE", str(tmp_path / "site.edge"))

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(from_environment())
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get("/hello.txt")

    answer = anyio.run(ask)
    assert (answer.status_code, answer.text) == (200, "hello")


@pytest.mark.parametrize("content", [b":80 {\n    respnod\n}\n", b":80 {\n    respond \xff\n}\n"])
def test_a_file_with_errors_is_no_application(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "Edgefile"
    file.write_bytes(content)
    with pytest.raises(EdgefileError, match=r"Edgefile:2:\d+: .* \[E\d+\]"):
        application(file)


# ---- lifespan


class Beating:
    """A resource with something to do in the background."""

    def __init__(self, *, fails: bool = False) -> None:
        self.told: list[str] = []
        self._fails = fails

    async def start(self, tasks: anyio.abc.TaskGroup) -> None:
        self.told.append("start")
        if self._fails:
            raise OSError("the store cannot be reached")
        tasks.start_soon(self._beat)

    async def _beat(self) -> None:
        self.told.append("beat")
        try:
            await anyio.sleep_forever()
        finally:
            self.told.append("end")

    async def close(self) -> None:
        self.told.append("close")


def application_with(tmp_path: Path, *resources: Beating) -> Application:
    file = tmp_path / "Edgefile"
    file.write_text(":80 {\n    respond hello\n}\n")
    made = application(file)
    made.replace(dataclasses.replace(made._graph, resources=resources))
    return made


async def served(made: Application) -> None:
    """Served by hypercorn, for as long as it takes to begin and to end."""
    config = Config()
    config.bind = ["127.0.0.1:0"]

    async def at_once() -> None:
        await anyio.wait_all_tasks_blocked()

    await serve(made, config, shutdown_trigger=at_once)  # type: ignore[arg-type]


def test_what_an_application_keeps_lives_as_long_as_its_server(tmp_path: Path) -> None:
    resource = Beating()
    anyio.run(served, application_with(tmp_path, resource))
    assert resource.told == ["start", "beat", "close", "end"]


def test_an_application_that_cannot_be_started_says_so(tmp_path: Path) -> None:
    sound, broken = Beating(), Beating(fails=True)
    made = application_with(tmp_path, sound, broken)
    with pytest.raises(LifespanFailureError, match="the store cannot be reached"):
        anyio.run(served, made)
    assert sound.told[0] == "start"
    assert "close" in sound.told


def test_the_messages_of_a_failing_start(tmp_path: Path) -> None:
    sent: list[dict[str, Any]] = []

    async def live() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "lifespan.startup"}

        async def send(message: Any) -> None:
            sent.append(message)

        await application_with(tmp_path, Beating(fails=True))({"type": "lifespan"}, receive, send)

    anyio.run(live)
    assert sent == [{"type": "lifespan.startup.failed", "message": "the store cannot be reached"}]
