"""An operator whose server is made up, and the real admin address in front of it, in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from typing import Any, NamedTuple

import anyio
import pytest

from edgescript.admin.operator import Applied, Past, Status, WorkerStatus
from edgescript.admin.serve import Admin
from edgescript.catalog import Catalogue
from edgescript.graph.load import analyse
from edgescript.graph.match import HostTable
from edgescript.graph.model import Listener
from edgescript.metric import Meter
from edgescript.observe.segments import own_families
from edgescript.server.listen import bind
from edgescript.settings import admin as setting
from edgescript.text.problem import Severity
from edgescript.text.source import Source

TEXT = ":80 {\n\trespond 200 hello\n}\n"
TOKEN = "0123456789abcdef-token"
_CATALOGUE = Catalogue.load()


def worker(number: int, **more: Any) -> WorkerStatus:
    return replace(WorkerStatus(number, 1000 + number, "ready", 1.0, 0, ""), **more)


@dataclass
class FakeOperator:
    """A server that exists in words only. What it applies, it has really checked."""

    workers: list[WorkerStatus] = field(default_factory=lambda: [worker(0), worker(1)])
    pasts: list[Past] = field(default_factory=lambda: [Past(1, 100.0, "start", "Edgefile", TEXT)])
    last: Applied | None = None
    file: str = TEXT
    meter: Meter = field(default_factory=Meter)
    asked: list[tuple[str, Mapping[str, Any], int | None]] = field(default_factory=list)
    answers: dict[str, list[Any]] = field(default_factory=dict)
    lines: list[asyncio.Queue[str]] = field(default_factory=list)
    upgrading: str | RuntimeError = "9.9"
    stopped: bool = False
    shares: dict[str, Any] = field(default_factory=dict)
    #: What keeps the next configuration from being applied, beside problems.
    reason: str = ""

    def status(self) -> Status:
        ready = bool(self.workers) and all(one.state == "ready" for one in self.workers)
        return Status("1.0", 999, 50.0, (":80",), tuple(self.workers), ready, self.pasts[0], self.last)

    def history(self) -> Sequence[Past]:
        return self.pasts

    async def check(self, text: str) -> Applied:
        found = analyse(Source("Edgefile", text), catalogue=_CATALOGUE, environment={}, read=_nothing)
        return Applied(False, found.problems, self.reason)

    async def apply(self, text: str | None, *, source: str) -> Applied:
        text = self.file if text is None else text
        problems = (await self.check(text)).problems
        if self.reason or any(problem.severity is Severity.ERROR for problem in problems):
            self.last = Applied(False, problems, self.reason)
            return self.last
        number = self.pasts[0].number + 1
        self.pasts.insert(0, Past(number, 100.0 + number, source, "Edgefile", text))
        self.last = Applied(True, problems, "", number)
        return self.last

    async def roll_back(self, number: int | None = None) -> Applied:
        wanted = self.pasts[0].number - 1 if number is None else number
        for past in self.pasts:
            if past.number == wanted:
                return await self.apply(past.text, source=f"rollback to {wanted}")
        raise LookupError("there is no such configuration")

    async def ask(self, question: str, arguments: Mapping[str, Any], *, worker: int | None = None) -> list[Any]:
        self.asked.append((question, dict(arguments), worker))
        return self.answers.get(question, [])

    async def share(self, shares: Mapping[str, Mapping[str, Any]]) -> None:
        self.shares = dict(shares)

    async def listen(self, topic: str) -> AsyncIterator[str]:
        assert topic == "log"
        queue: asyncio.Queue[str] = asyncio.Queue()
        self.lines.append(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self.lines.remove(queue)

    def tell(self, line: str) -> None:
        for queue in self.lines:
            queue.put_nowait(line)

    def metrics(self) -> Sequence[Any]:
        return own_families(self.meter)

    async def upgrade(self) -> str:
        if isinstance(self.upgrading, RuntimeError):
            raise self.upgrading
        return self.upgrading

    def stop(self) -> None:
        self.stopped = True


def _nothing(path: str) -> bytes:
    raise FileNotFoundError(path)


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class RunningAdmin:
    """An admin address in a thread of its own."""

    def __init__(self, operator: Any, made: setting.Admin, *, directory: str = ".") -> None:
        self.operator = operator
        self.setting = made
        self.directory = directory
        self.port = 0
        self.addresses: Sequence[Any] = ()
        self.admin: Admin
        self.loop: asyncio.AbstractEventLoop
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> RunningAdmin:
        self._thread.start()
        assert self._ready.wait(30)
        if self._error is not None:
            raise self._error
        return self

    def _run(self) -> None:
        try:
            anyio.run(self._serve, backend_options={"use_uvloop": True})
        except BaseException as error:
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._stop = anyio.Event()
        place = self.setting.place
        bound = None
        if place is not None and place.port is not None:
            bound = bind(Listener(place.host, place.port, HostTable([])), port=0)
            self.port = bound.getsockname()[1]
        self.admin = Admin(self.operator, self.setting, directory=self.directory)
        async with anyio.create_task_group() as tasks:
            self.addresses = await self.admin.start(tasks, bound=bound)
            self._ready.set()
            await self._stop.wait()
            await self.admin.stop()

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        async def called() -> Any:
            result = function(*arguments)
            return await result if asyncio.iscoroutine(result) else result

        return asyncio.run_coroutine_threadsafe(called(), self.loop).result(30)

    def stop(self) -> None:
        if self._thread.is_alive():
            self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        assert not self._thread.is_alive(), "the admin address did not stop"
        if self._error is not None:
            raise self._error

    def ask(self, method: str, path: str, body: bytes | str | None = None, **headers: str) -> Answer:
        """One request; `content_type="…"` is a header field."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, value: Any = None, **headers: str) -> Answer:
        """A POST of JSON, or of nothing."""
        if value is None:
            return self.ask("POST", path, **headers)
        return self.ask("POST", path, json.dumps(value), content_type="application/json", **headers)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def stream(self, path: str) -> EventReader:
        return EventReader(self.connect(), path)


class EventReader:
    """A client of server-sent events."""

    def __init__(self, connection: socket.socket, path: str) -> None:
        self.socket = connection
        self.file = connection.makefile("rb")
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self.status = int(self.file.readline().split()[1])
        self.headers: dict[str, str] = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode().partition(":")
            self.headers[name.lower()] = value.strip()
        self._lines = self._read_lines()

    def _read_lines(self) -> Iterator[str]:
        rest = b""
        while size := int(self.file.readline().strip() or b"0", 16):
            rest += self.file.read(size)
            self.file.readline()
            *lines, rest = rest.split(b"\n")
            yield from (line.decode() for line in lines)

    def next(self) -> tuple[str, str]:
        """The name and data of the next event; raises StopIteration at the end of the stream."""
        name, data = "message", []
        while True:
            line = next(self._lines)
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                data.append(line[6:])
            elif not line and data:
                return name, "\n".join(data)

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@pytest.fixture
def operator() -> FakeOperator:
    return FakeOperator()


@pytest.fixture
def run_admin() -> Iterator[Callable[..., RunningAdmin]]:
    """`run_admin(operator, address="…", token=…)` starts an admin address; all are stopped at the end."""
    running: list[RunningAdmin] = []

    def start(operator: Any, *, directory: str = ".", **options: Any) -> RunningAdmin:
        running.append(RunningAdmin(operator, setting_of(**options), directory=directory).start())
        return running[-1]

    yield start
    for one in running:
        one.stop()


def setting_of(**options: Any) -> setting.Admin:
    token = options.pop("token", None)
    made = {"address": None, "origins": (), "users": (), **options}
    return setting.Admin(token=None if token is None else setting.Secret(token), **made)


@pytest.fixture
def admin(run_admin: Callable[..., RunningAdmin], operator: FakeOperator) -> RunningAdmin:
    """The admin address on a loopback port."""
    return run_admin(operator)


@pytest.fixture
def reader(admin: RunningAdmin) -> Iterator[Callable[[str], EventReader]]:
    """`reader("/logs")` reads server-sent events; all are closed at the end."""
    made: list[EventReader] = []

    def start(path: str) -> EventReader:
        made.append(admin.stream(path))
        return made[-1]

    yield start
    for one in made:
        one.close()


def wait_until(found: Callable[[], Any], seconds: float = 10.0) -> Any:
    """What `found` gives as soon as it gives something."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
    return value
