"""Servers that take over one Edgefile after the other."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import edgescript
from edgescript.catalog import Catalogue
from edgescript.cli.client import Answer, Client, Unreachable
from edgescript.graph.load import load as load_file
from edgescript.graph.model import Graph
from edgescript.graph.shared import Shared
from edgescript.text.source import Source

_CATALOGUE = Catalogue.load()


class Reloading:
    """A server of one process, and what its graphs have in common."""

    def __init__(self, servers: Any, engine: str, directory: Path) -> None:
        self.shared = Shared()
        self._servers = servers
        self._engine = engine
        self._directory = directory
        self.running: Any = None

    def graph(self, text: str) -> Graph:
        graph, problems = load_file(
            Source("Edgefile", text),
            catalogue=_CATALOGUE,
            environment={},
            directory=str(self._directory),
            clock=time.monotonic,
            shared=self.shared,
        )
        assert graph is not None, "\n".join(f"{problem.span}: {problem.message}" for problem in problems)
        return graph

    def start(self, text: str) -> Any:
        self.running = self._servers.start(self.graph(text), engine=self._engine)
        return self.running

    def reload(self, text: str) -> None:
        """Take another Edgefile over, as a reload does."""
        self.running.call(self.running.server.replace, self.graph(text))

    def shared_things(self, kind: str) -> list[Any]:
        """What graphs have in common, of one kind."""
        return [held.thing for key, held in self.shared._held.items() if key[0] == kind]

    @property
    def retired(self) -> int:
        """How many old graphs are still in use."""
        return self.running.call(lambda: self.running.server.retired)

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for something that happens in the server's own time; a look is cheap, and there are many."""
        until = time.monotonic() + 20
        while not self.running.call(holds):
            assert time.monotonic() < until, f"it did not come to pass that {what}"
            time.sleep(0.01)

    def wait_for_end_of_old_graphs(self) -> None:
        self.wait_until(lambda: self.running.server.retired == 0, "the old graphs were put away")


@pytest.fixture(params=["fast", "hypercorn"])
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def reloading(servers: Any, engine: str, tmp_path: Path) -> Reloading:
    """`reloading.start(text)`, `reloading.reload(text)`, on both engines."""
    return Reloading(servers, engine, tmp_path)


@pytest.fixture
def fast(servers: Any, tmp_path: Path) -> Reloading:
    """The same on the fast lane only, for what ASGI cannot do."""
    return Reloading(servers, "fast", tmp_path)


# ---- `edge run` as a process, with its workers

EDGE = Path(sys.executable).parent / "edge"

#: Seconds that anything may take on a slow, busy machine.
PATIENCE = 60.0


class Running:
    """A started `edge run`. What it says on standard error is read by a thread, so that it never waits for us."""

    def __init__(
        self, folder: Path, text: str, options: str, words: Sequence[str], environment: Mapping[str, str], **more: Any
    ) -> None:
        self.folder = folder
        self.options = options
        self.file = folder / "Edgefile"
        self.write(text)
        self.lines: list[str] = []
        self._more = threading.Condition()
        command = more.pop("command", None) or [str(EDGE)]
        self.process = subprocess.Popen(
            [*command, "run", *words],
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
            **more,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        try:
            line = self.wait_for("listening on")
        except BaseException:
            self.end()
            raise
        self.ports = [int(port) for port in re.findall(r":(\d+)", line)]

    @property
    def port(self) -> int:
        return self.ports[0]

    @property
    def client(self) -> Client:
        return Client(str(self.folder / "admin.sock"), None, None)

    def write(self, text: str, options: str | None = None) -> None:
        self.options = self.options if options is None else options
        self.file.write_text(f"{{\nadmin unix/{self.folder}/admin.sock\n{self.options}\n}}\n{text}\n")

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._more:
                self.lines.append(line.rstrip("\n"))
                self._more.notify_all()
        with self._more:
            self.lines.append("(end)")
            self._more.notify_all()

    def wait_for(self, words: str, *, since: int = 0) -> str:
        """The first line that has these words, as soon as it comes; `since` leaves out so many lines."""

        def found() -> str | None:
            return next((line for line in self.lines[since:] if words in line), None)

        with self._more:
            assert self._more.wait_for(lambda: found() or "(end)" in self.lines[since:], PATIENCE), self.lines
            line = found()
        assert line is not None, self.lines
        return line

    def get(self, path: str = "/", *, port: int | None = None) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port or self.port}{path}", timeout=PATIENCE) as answer:
            return str(answer.read().decode())

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.ask("GET", "/status").data
        return found

    def pids(self) -> list[int]:
        """The processes of the workers."""
        return [worker["pid"] for worker in self.status()["workers"]]

    def reload(self, text: str | None = None, options: str | None = None) -> Answer:
        if text is not None:
            self.write(text, options)
        return self.client.ask("POST", "/reload")

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        text = self.client.ask("GET", "/metrics").text
        return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if re.match(rf"{name}[{{ ]", line))

    def wait_until(self, holds: Callable[[dict[str, Any]], object], what: str) -> dict[str, Any]:
        """The status of the server, when it is as it should be."""
        until = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(Unreachable):
                status = self.status()
                if holds(status):
                    return status
            assert time.monotonic() < until, f"it did not come to pass that {what}: {self.lines}"
            time.sleep(0.02)

    def wait_until_ready(self, *, without: Collection[int] = ()) -> list[int]:
        """The processes of the workers, when all serve and none of some others is among them."""
        status = self.wait_until(
            lambda status: status["ready"] and not {worker["pid"] for worker in status["workers"]} & set(without),
            "all workers are ready",
        )
        return [worker["pid"] for worker in status["workers"]]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE)
        assert not self._reader.is_alive(), "a worker outlives its supervisor"
        assert self.process.stderr is not None
        self.process.stderr.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: the path of a unix socket has room for 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="edge-") as name:
        yield Path(name)


@pytest.fixture
def run(folder: Path) -> Iterator[Callable[..., Running]]:
    """
    `run(text, *words, options="workers 2")` starts `edge run` with an admin socket, and gives it when it listens.

    `environment` adds to that of the process; `command` starts another program than `edge`.
    """
    started: list[Running] = []

    def start(
        text: str, *words: str, options: str = "", environment: Mapping[str, str] | None = None, **more: Any
    ) -> Running:
        settings = {"STATE_DIRECTORY": str(folder / "state"), **(environment or {})}
        started.append(Running(folder, text, options, words, settings, **more))
        return started[-1]

    yield start
    for one in started:
        one.end()


class Load:
    """Clients that ask again and again, some on connections that they keep. What is not answered is a failure."""

    def __init__(self, port: int, clients: int = 4) -> None:
        self._port = port
        self.answered = 0
        self.failures: list[str] = []
        self._enough = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number % 2 == 0,)) for number in range(clients)]

    def _ask(self, keeps: bool) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        while not self._enough.is_set():
            try:
                connection.request("GET", "/")
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    self.failures.append(f"status {answer.status}")
                self.answered += 1
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
            if not keeps:
                connection.close()
        connection.close()

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def wait_for_more(self, count: int = 50) -> None:
        """Wait until so many more requests have been answered."""
        wanted, until = self.answered + count, time.monotonic() + PATIENCE
        while self.answered < wanted:
            assert time.monotonic() < until, self.failures[:10]
            time.sleep(0.01)


@pytest.fixture
def load() -> type[Load]:
    """`with load(port) as clients` asks the server all the time."""
    return Load


@pytest.fixture
def installed(folder: Path) -> Path:
    """The program as an installation of its own that a test may change; `PYTHONPATH` is to name it."""
    here = Path(edgescript.__path__[0])
    place = folder / "installed"
    shutil.copytree(here, place / "edgescript")
    for beside in ("stdlib", "grammar"):
        (place / beside).symlink_to(here.parent / beside)
    return place
