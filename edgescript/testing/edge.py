"""An Edgefile under test in Python: what `test` blocks can do, with values in and values out.

from edgescript.testing import Edge

def test_the_api_is_passed_on():
    edge = Edge("Edgefile")
    edge.upstream("10.0.0.1:8080", body="made", status=201)
    response = edge.post("http://shop.example.com/api/things", json={"name": "a thing"})
    assert response.status == 201
    assert response.sent.uri == "/api/things"
"""

from __future__ import annotations

import asyncio
import json as jsons
import os
import weakref
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from edgescript.catalog import Catalogue
from edgescript.declare import values
from edgescript.declare.kinds import KindError
from edgescript.graph.explain import Explanation, render
from edgescript.language.files import MOST_BYTES
from edgescript.testing.clock import VirtualLoop
from edgescript.testing.compiled import compile_for_tests
from edgescript.testing.expect import Answer
from edgescript.testing.scenario import Request, request_for
from edgescript.testing.stage import Stage
from edgescript.testing.standin import Answerer, Received, Reply, key_of, sound_field
from edgescript.text.problem import Problem
from edgescript.text.render import as_text
from edgescript.text.source import Source, Span

T = TypeVar("T")

#: A header: by name, or as pairs where a name comes more than once.
Headers = Mapping[str, str] | Sequence[tuple[str, str]]


class EdgefileError(Exception):
    """An Edgefile has errors; the message shows them as `edge validate` does."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n" + as_text(problems).rstrip())
        self.problems = problems


class Fields(Mapping[str, str]):
    """Header fields by name, in any case. Values of a name that came more than once are joined by `, `."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        #: In the order in which they came.
        self.pairs = tuple(pairs)

    def __getitem__(self, name: str) -> str:
        found = self.every(name)
        if not found:
            raise KeyError(name)
        return ", ".join(found)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.every(name))

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name.lower() for name, _ in self.pairs))

    def __len__(self) -> int:
        return len({name.lower() for name, _ in self.pairs})

    def __repr__(self) -> str:
        return f"Fields({list(self.pairs)!r})"

    def every(self, name: str) -> list[str]:
        """All values of a name (`set-cookie` must not be joined)."""
        return [value for key, value in self.pairs if key.lower() == name.lower()]


@dataclass(frozen=True, slots=True)
class Response:
    """What a request came to."""

    #: 0 where the connection was closed without an answer.
    status: int
    headers: Fields
    body: bytes
    #: The connection was closed without an answer.
    aborted: bool
    #: The upstream that was chosen, as the Edgefile has it; None where none was asked.
    upstream: str | None
    #: What a stand-in was sent; None where none was asked. Of several attempts, the last.
    sent: Received | None
    #: What the request went through: addresses of the site, lines of directives and blocks, and matchers, as written.
    route: tuple[str, ...]
    #: The way through the file, step by step; `walk` is the same as text.
    explanation: Explanation

    @property
    def text(self) -> str:
        """The body as UTF-8; what is none is replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """
        The body as JSON.

        :raises ValueError: if it is none
        """
        return jsons.loads(self.body)

    @property
    def walk(self) -> str:
        """What `edge explain` would print."""
        return render(self.explanation)

    def __str__(self) -> str:
        return self.walk


class StandIn:
    """An upstream's place, taken by the test."""

    def __init__(self, address: str, every: list[Received]) -> None:
        self.address = address
        self._every = every

    @property
    def received(self) -> list[Received]:
        """The requests that it was sent, the last one last."""
        key = key_of(self.address)
        return [request for request in self._every if request.upstream == key]


class Edge:
    """
    An Edgefile's routes, compiled and ready for requests, in memory: no port is opened, and no upstream is asked.

    What one request leaves behind (connections, the turn of a balancer) the next one finds, as in a server; another `Edge` of
    the same file knows nothing of it. Time passes only by `after`, and where an answer waits for something.

    :param file: the path of the Edgefile; relative paths in it start at its directory
    :param text: the Edgefile itself, instead of what `file` holds
    :param environment: where `{$NAME}` is looked up; the process's own by default
    :raises EdgefileError: if it has errors
    :raises OSError: if it cannot be read
    """

    def __init__(
        self,
        file: str | os.PathLike[str] = "Edgefile",
        *,
        text: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        path = Path(file)
        source = Source(str(path), text) if text is not None else _read(path)
        compiled, self.problems, _ = compile_for_tests(
            source,
            catalogue=Catalogue.load(),
            environment=os.environ if environment is None else environment,
            directory=str(path.absolute().parent),
        )
        if compiled is None:
            raise EdgefileError(self.problems)
        self._compiled = compiled
        self._runner = asyncio.Runner(loop_factory=VirtualLoop)
        loop = _loop(self._runner)
        self._stage = Stage(compiled, loop)
        # Garbage is collected at any time, perhaps while another loop runs: then nothing more can be awaited.
        self._forgotten = weakref.finalize(self, loop.close)

    def __enter__(self) -> Edge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back what the routes hold. It need not be called: what nobody knows any more is freed."""
        if self._forgotten.detach() is not None:
            self._run(self._stage.close())
            self._run(self._compiled.graph.close())
            self._runner.close()

    # ---- the world around

    def upstream(
        self,
        address: str,
        answer: Answerer | None = None,
        *,
        status: int = 200,
        headers: Headers = (),
        body: str | bytes = b"",
        delay: float = 0.0,
        fail: bool = False,
    ) -> StandIn:
        """
        Stand in for an upstream. Called again for the same address, it adds an answer: they are given in turn, the last one
        again and again. An upstream for which nothing stands in refuses connections.

        :param address: as the Edgefile has it, with or without scheme; `*` for all that have none of their own
        :param answer: a `Reply`, or a function (or coroutine function) that makes one of a `Received`; instead of the others
        :param body: text is sent as UTF-8
        :param delay: seconds until it answers, by the clock of the test: nobody waits
        :param fail: it refuses connections
        """
        reply = Reply(status, _pairs(headers), body, delay, fail) if answer is None else answer
        self._stage.stand_ins.add(address, reply)
        return StandIn(address, self._stage.stand_ins.received)

    def at(self, when: datetime | str) -> None:
        """
        Set the time of day (`{time.now}`). A time without zone is UTC.

        :param when: or ISO 8601 text, `2026-01-31T12:00:00Z`
        :raises ValueError: if the text is none
        """
        moment = datetime.fromisoformat(when) if isinstance(when, str) else when
        self._stage.clock.set((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())

    def after(self, time: float | timedelta | str) -> None:
        """
        Let time pass: for the time of day, and for everything that has a timeout.

        :param time: seconds, or text such as `10s`
        :raises ValueError: if the text is none, or the time is negative
        """
        seconds = time.total_seconds() if isinstance(time, timedelta) else _seconds(time)
        if seconds < 0:
            raise ValueError("time goes forward only; `at` sets the time of day")
        self._run(self._stage.clock.move(seconds))

    # ---- requests

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Headers = (),
        body: str | bytes = b"",
        json: Any = None,
        ip: str = "127.0.0.1",
    ) -> Response:
        """
        Make a request.

        :param url: `http://host[:port]/path`, or a path, which goes to the file's first listener
        :param json: a value that is sent as JSON, instead of `body`
        :param ip: the client's address
        :raises ValueError: if the URL, a header field or the client's address is malformed
        :raises Unanswered: if nothing listens there, nothing ever came, a body broke off, or a step raised an error
        :raises Exception: what a function raised that answers for an upstream
        """
        request = _request(method, url, headers, body, json)
        request.ip = str(ip_address(ip))
        answer = self._run(self._asked(request))
        explanation = self._stage.walk()
        assert explanation is not None, "it came in, or there were no answer"
        return _response(answer, explanation)

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if asyncio._get_running_loop() is not None:
            coroutine.close()
            raise RuntimeError(
                "an Edge has an event loop of its own: use it where no other one runs, in a plain function"
            )
        return self._runner.run(coroutine)

    async def _asked(self, request: Request) -> Answer:
        try:
            return await self._stage.ask(request)
        finally:
            await self._stage.clock.move(0)  # what ends with the request has ended then

    def get(self, url: str, **options: Any) -> Response:
        """`request` with GET; the options are the same."""
        return self.request("GET", url, **options)

    def head(self, url: str, **options: Any) -> Response:
        """`request` with HEAD."""
        return self.request("HEAD", url, **options)

    def options(self, url: str, **options: Any) -> Response:
        """`request` with OPTIONS."""
        return self.request("OPTIONS", url, **options)

    def post(self, url: str, **options: Any) -> Response:
        """`request` with POST."""
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Any) -> Response:
        """`request` with PUT."""
        return self.request("PUT", url, **options)

    def patch(self, url: str, **options: Any) -> Response:
        """`request` with PATCH."""
        return self.request("PATCH", url, **options)

    def delete(self, url: str, **options: Any) -> Response:
        """`request` with DELETE."""
        return self.request("DELETE", url, **options)


def _read(path: Path) -> Source:
    with path.open("rb") as file:
        return Source.of_bytes(str(path), file.read(MOST_BYTES))


def _loop(runner: asyncio.Runner) -> VirtualLoop:
    loop = runner.get_loop()
    assert isinstance(loop, VirtualLoop), "the runner was told to make one"
    return loop


def _seconds(time: float | str) -> float:
    try:
        return values.duration(time) if isinstance(time, str) else time
    except KindError as error:
        raise ValueError(str(error)) from None


def _pairs(headers: Headers) -> list[tuple[str, str]]:
    return list(headers.items() if isinstance(headers, Mapping) else headers)


def _request(method: str, url: str, headers: Headers, body: str | bytes, json: Any) -> Request:
    request = request_for(method, url, Span(Source("a test", url), 0, len(url)))
    request.headers = _pairs(headers)
    request.body = body
    if json is not None:
        request.body = jsons.dumps(json)
        request.headers.append(("content-type", "application/json"))
    for pair in request.headers:
        sound_field(pair)
    return request


def _response(answer: Answer, explanation: Explanation) -> Response:
    return Response(
        status=answer.status,
        headers=Fields(answer.headers),
        body=answer.body,
        aborted=answer.aborted,
        upstream=answer.upstream,
        sent=answer.sent,
        route=answer.routes,
        explanation=explanation,
    )
