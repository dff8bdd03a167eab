"""`edge top`, with a server that is made up, and one that answers."""

from __future__ import annotations

import json
import queue
import re
from collections.abc import Callable, Iterator
from http.client import IncompleteRead
from typing import Any

import anyio
import click
import pytest
from click.testing import CliRunner
from textual.widgets import DataTable, Static

from edgescript.cli.client import Answer, Client
from edgescript.cli.commands.top import command
from edgescript.cli.top import Remote, Top, ago, count, duration
from edgescript.tally import DURATION, REQUESTS
from tests.admin.conftest import FakeOperator, RunningAdmin, wait_until

STATE: dict[str, Any] = {
    "time": 1000.0, "version": "1.0", "pid": 1, "started": 100.0, "ready": True, "addresses": [":80"],
    "config": {"number": 3, "when": 900.0, "source": "admin", "name": "Edgefile"},
    "requests": 12345.0, "in_flight": 2.0,
    "workers": [
        {"number": 0, "pid": 11, "state": "ready", "since": 900.0, "restarts": 0, "reason": "", "delay": 0.002},
        {"number": 1, "pid": 0, "state": "dead", "since": 990.0, "restarts": 4, "reason": "killed", "delay": None},
    ],
    "reload": None,
    "point": {"time": 1000.0, "rate": 150.0, "classes": {"1xx": 0, "2xx": 140.0, "3xx": 0, "4xx": 7.5, "5xx": 2.5}},
    "routes": [
        {"site": "a", "route": "[/b]", "requests": 9, "errors": 1, "rate": 3, "p50": 0.1, "p95": 2.5, "lately": True},
        {"site": "a", "route": "/idle", "requests": 9, "errors": 0, "rate": 0, "p50": None, "p95": None, "lately": False},
    ],
    "upstreams": [
        {"address": address, "in_use": 1, "idle": 2, "waiting": 3, "drained": False, "weight": 1, "attempts": 9.0,
         "failures": 4.0, "latency": {"p50": 0.01, "p95": 0.02}}
        for address in ("10.0.0.1:80", "10.0.0.2:80")
    ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgescript.admin.room.TICK", 0.1)


class FakeServer:
    """A server that tells what is put into its queue; None ends it."""

    def __init__(self, *states: Any) -> None:
        self.queue: queue.Queue[Any] = queue.Queue()
        self.done: list[Any] = []
        for state in states:
            self.queue.put(state)

    def events(self) -> Iterator[tuple[str, str]]:
        while (state := self.queue.get()) is not None:
            if isinstance(state, Exception):
                raise state
            yield state if isinstance(state, tuple) else ("message", json.dumps(state))

    def close(self) -> None:
        self.queue.put(None)

    def reload(self) -> str:
        self.done.append("reload")
        return "The Edgefile was taken over."

    def drain(self, address: str, *, drained: bool) -> str:
        self.done.append((address, drained))
        raise click.ClickException("it is gone")


def watched(
    server: Any, *, keys: tuple[str, ...] = (), until: Callable[[Top], bool], size: tuple[int, int] = (120, 36)
) -> str:
    """What the screen shows when something holds, after keys were pressed."""

    async def run() -> str:
        top = Top(server)
        async with top.run_test(size=size) as pilot:
            for key in keys:
                await pilot.press(key)
            with anyio.fail_after(20):
                while not until(top):
                    await pilot.pause(0.01)
            await pilot.pause()
            texts = [str(widget.render()) for widget in top.query(Static)]
            for table in top.query(DataTable):
                texts += ["|".join(str(cell) for cell in table.get_row_at(row)) for row in range(table.row_count)]
            await pilot.press("q")
        return "\n".join(texts)

    return anyio.run(run)


def shown(top: Top) -> bool:
    return top.state is not None and top.query_one("#workers-table", DataTable).row_count > 0


def said(text: str) -> Callable[[Top], bool]:
    return lambda top: shown(top) and text in str(top.query_one("#problems", Static).render())


@pytest.mark.parametrize("size", [(120, 36), (60, 20)])
def test_everything_is_shown(size: tuple[int, int]) -> None:
    text = watched(FakeServer(("history", json.dumps([{"rate": 400.0}])), STATE), until=shown, size=size)
    assert "edge 1.0  ready  :80  up 15 min  Edgefile no. 3 for 1 min" in text
    assert "150/s" in text
    assert "12.3 k in all  at most 400/s" in text
    assert "[/b]|3|1|100 ms|2.5 s|a" in text
    assert "/idle|0|0|–|–|a" in text
    assert "10.0.0.1:80|in use|1 +3|2|4|20 ms|1" in text
    assert "0|ready|11|0|1 min|2 ms" in text
    assert "1|dead|–|4|10 s|–" in text


def test_a_server_that_has_nothing_to_show_is_shown() -> None:
    empty = {**STATE, "point": None, "routes": [], "upstreams": [], "ready": False, "workers": STATE["workers"][:1]}
    assert "not ready" in watched(FakeServer(empty), until=shown)


def test_problems_of_the_last_reload_are_shown() -> None:
    problem = {"file": "Edgefile", "line": 3, "column": 5, "code": "E101", "message": "there is no directive [x]"}
    state = {**STATE, "reload": {"done": False, "reason": "", "number": 0, "problems": [problem]}}
    text = watched(FakeServer(state), until=said("E101"))
    assert "Edgefile:3:5: E101: there is no directive [x]" in text


def test_a_reconnection_brings_the_past_again_and_not_twice() -> None:
    history = ("history", json.dumps([{"rate": 400.0}, {"rate": 300.0}]))
    top: list[Top] = []

    def known(one: Top) -> bool:
        top[:] = [one]
        return shown(one)

    watched(FakeServer(history, history, STATE), until=known)
    assert list(top[0]._rates) == [400.0, 300.0, 150.0]


def test_what_a_server_says_cannot_work_on_the_terminal() -> None:
    evil = "\x1b]2;title\x07\x9b31m\u202e"
    reload = {"done": False, "reason": f"a {evil} b", "number": 0, "problems": []}
    text = watched(FakeServer({**STATE, "version": evil, "reload": reload}), until=said("changed nothing"))
    assert not set(evil) - set("]2;title31m") & set(text)
    for answer in (
        Answer(200, json.dumps({"version": evil})),
        Answer(403, json.dumps({"detail": evil})),
        Answer(500, evil),
    ):
        found = answer.data["version"] if answer.is_good else answer.complaint().message
        assert found.isprintable()
    assert Answer(200, json.dumps({"text": "two\nlines"})).data == {"text": "two\nlines"}


def test_keys_reload_and_drain_what_is_chosen() -> None:
    server = FakeServer(STATE)
    assert "The Edgefile was taken over." in watched(server, keys=("r",), until=said("taken over"))
    assert server.done == ["reload"]

    server = FakeServer(STATE)

    async def run() -> None:
        top = Top(server)
        async with top.run_test(size=(120, 36)) as pilot:
            while not shown(top):
                await pilot.pause(0.01)
            await pilot.press("down")
            server.queue.put(STATE)  # the choice survives the next event
            await pilot.pause(0.1)
            await pilot.press("d")
            while not said("it is gone")(top):
                await pilot.pause(0.01)
            await pilot.press("q")

    anyio.run(run)
    assert server.done == [("10.0.0.2:80", True)]


def test_a_server_that_is_lost_is_told_and_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgescript.cli.top._AGAIN", 0.01)
    server = FakeServer(click.ClickException("no server answers at x"))
    text = watched(server, until=lambda top: "no server answers" in str(top.query_one("#head", Static).render()))
    assert "not connected" in text
    assert "ready" in watched(FakeServer(None, STATE), until=shown)


@pytest.mark.parametrize("broken", [{"of": "another version"}, {**STATE, "routes": 7}, ["x"], IncompleteRead(b"")])
def test_what_is_not_understood_ends_no_watching(monkeypatch: pytest.MonkeyPatch, broken: Any) -> None:
    monkeypatch.setattr("edgescript.cli.top._AGAIN", 0.01)
    server = FakeServer(broken)
    watched(server, until=lambda top: "not connected" in str(top.query_one("#head", Static).render()))
    assert "150/s" in watched(FakeServer(broken, STATE), until=shown)


def test_it_watches_a_server_over_its_admin_address(admin: RunningAdmin, operator: FakeOperator) -> None:
    operator.meter.counter(REQUESTS, "example.com", "/api/*", "GET", "200").add(7)
    operator.meter.histogram(DURATION, "example.com", "/api/*").observe(0.03)
    operator.answers["upstreams"] = [[{"address": "10.0.0.1:80", "in_use": 0, "idle": 0, "waiting": 0}]]
    server = Remote(Client("127.0.0.1", admin.port, None))
    assert re.search(r"/api/\*\|.*\|example.com\n", watched(server, until=shown))
    wait_until(lambda: len(admin.admin.room.events) == 0)
    assert "Not reloaded" not in server.reload()
    assert server.drain("10.0.0.1:80", drained=True) == "10.0.0.1:80 gets no new requests."
    assert operator.shares == {"10.0.0.1:80": {"drained": True, "weight": 1}}
    assert "there is no server" in server.drain("10.0.0.9:80", drained=True)
    operator.file = ":80 {\n respnd\n}\n"
    assert "errors" in server.reload()


def test_it_needs_a_terminal_and_says_so() -> None:
    ran = CliRunner().invoke(command, ["--address", "127.0.0.1:1"])
    assert ran.exit_code == 1
    assert "needs a terminal" in ran.output


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.25, "0.25"), (12.34, "12"), (150.4, "150"), (12_345, "12.3 k"), (2.5e6, "2.5 M")]
)
def test_counts_are_short(value: float, text: str) -> None:
    assert count(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (0.0000123, "12 µs"), (0.0123, "12.3 ms"), (1.234, "1.23 s"), (100.0, "100 s")]
)
def test_durations_have_their_unit(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(-1, "0 s"), (59, "59 s"), (61, "1 min"), (7300, "2 h"), (90000, "1 d")])
def test_times_are_told_by_their_largest_unit(seconds: float, text: str) -> None:
    assert ago(seconds) == text
