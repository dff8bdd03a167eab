"""What `edge top` shows: the dashboard's events, in a terminal. Textual is imported with this module only."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any, ClassVar, Protocol

import click
from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import DataTable, Footer, Sparkline, Static

from edgescript.cli.client import Client, EventStream, value_of

#: Seconds of the chart, and until a lost server is asked again.
_SECONDS = 300
_AGAIN = 2.0

#: Characters of a route.
_LONGEST_NAME = 30

_CLASSES = {"2xx": "green", "3xx": "blue", "4xx": "yellow", "5xx": "red"}
_STATES = {"ready": "green", "dead": "red"}


class Server(Protocol):
    """The server that is watched."""

    def events(self) -> Iterator[tuple[str, str]]:
        """
        The names and data of its events, as they come; each call begins anew.

        :raises click.ClickException: if it does not answer
        """

    def close(self) -> None:
        """End the events that are being waited for."""

    def reload(self) -> str:
        """Have it read its Edgefile again; what came of that, in a line."""

    def drain(self, address: str, *, drained: bool) -> str:
        """Have a server behind get no new requests, or get them again; what came of that, in a line."""


class Remote:
    """A server that is asked at its admin address."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._stream: EventStream | None = None

    def __str__(self) -> str:
        return str(self._client)

    def events(self) -> Iterator[tuple[str, str]]:
        self._stream = self._client.stream("/events")
        with self._stream as stream:
            yield from stream

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def reload(self) -> str:
        answer = self._client.ask("POST", "/reload")
        return "The Edgefile was taken over." if answer.is_good else f"Not reloaded: {answer.complaint().message}"

    def drain(self, address: str, *, drained: bool) -> str:
        answer = self._client.ask("POST", "/upstreams", value={"address": address, "drained": drained})
        if not answer.is_good:
            return answer.complaint().message
        return f"{address} gets {'no new requests' if drained else 'requests again'}."


# ---- how numbers are written


def count(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:.3g} M"
    if value >= 1e4:
        return f"{value / 1e3:.3g} k"
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.2g}"


def duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def ago(seconds: float) -> str:
    seconds = max(0, round(seconds))
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {name}"
    return f"{seconds} s"


# ---- the screen


class Top(App[None]):
    """The screen."""

    TITLE = "edge top"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        ("r", "reload", "Reload the Edgefile"),
        ("d", "drain", "Drain / use again"),
        ("q", "quit", "Quit"),
    ]
    CSS = """
    #head, #figures, #problems { height: auto; padding: 0 1; }
    #head { background: $panel; }
    #rate { height: 3; margin: 0 1; }
    Sparkline > .sparkline--max-color { color: $accent; }
    Sparkline > .sparkline--min-color { color: $accent-darken-2; }
    .box { border: round $primary; border-title-style: bold; padding: 0 1; height: 1fr; min-height: 4; }
    DataTable { height: 1fr; background: transparent; }
    #lower { height: 1fr; }
    .-narrow #rate { height: 1; }
    .-narrow #routes { height: 2fr; }
    .-narrow #lower { layout: vertical; height: 3fr; }
    .-narrow #problems { max-height: 2; }
    """

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.state: dict[str, Any] | None = None
        self._server = server
        self._rates: deque[float] = deque(maxlen=_SECONDS)
        self._said = ""
        self._ended = threading.Event()

    def compose(self) -> ComposeResult:
        yield Static(f"edge at {self._server} …", id="head")
        yield Static("", id="figures")
        yield Sparkline([], summary_function=max, id="rate")
        with Vertical(id="routes", classes="box") as routes:
            routes.border_title = "Slowest routes"
            yield _table("routes-table", "Route", "Per second", "Errors", "p50", "p95", "Site")
        with Horizontal(id="lower"):
            with Vertical(classes="box") as upstreams:
                upstreams.border_title = "Servers behind"
                yield _table("upstreams-table", "Server", "State", "Busy", "Idle", "Failures", "p95", "Weight")
            with Vertical(classes="box") as workers:
                workers.border_title = "Workers"
                yield _table("workers-table", "No.", "State", "Process", "Restarts", "Since", "Delay")
        yield Static("", id="problems", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self.query_one("#upstreams-table").focus()
        self._watch()

    async def action_quit(self) -> None:
        self._ended.set()
        self._server.close()
        self.exit()

    # ---- what the server tells

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _watch(self) -> None:
        """Read events until the end; a server that is gone is asked again."""
        while not self._ended.is_set():
            why = "it has ended the events"
            try:
                for name, data in self._server.events():
                    self.call_from_thread(self._take, name, value_of(data))
            except (click.ClickException, OSError, ValueError, HTTPException) as error:
                why = error.message if isinstance(error, click.ClickException) else str(error)
            except (LookupError, TypeError, AttributeError):  # JSON of another shape
                why = "what it tells is not what this version knows"
            if not self._ended.is_set():
                self.call_from_thread(self._lost, why)
                self._ended.wait(_AGAIN)

    def _take(self, name: str, data: Any) -> None:
        if name == "history":
            self._rates.clear()  # it comes again with each connection
            self._rates.extend(point["rate"] for point in data)
        elif name == "message":
            self.show(data)

    def _lost(self, why: str) -> None:
        self.query_one("#head", Static).update(Text.assemble(("not connected", "bold red"), f"  {self._server}: {why}"))

    def show(self, state: dict[str, Any]) -> None:
        """Show one event."""
        self.state = state
        point = state["point"]
        if point is not None:
            self._rates.append(point["rate"])
        self.query_one("#head", Static).update(self._head(state))
        self.query_one("#figures", Static).update(self._figures(state, point))
        self.query_one("#rate", Sparkline).data = list(self._rates) or [0.0]
        self._fill("#routes-table", [_route(route) for route in state["routes"]])
        self._fill("#upstreams-table", [_upstream(upstream) for upstream in state["upstreams"]])
        self._fill("#workers-table", [_worker(worker, state["time"]) for worker in state["workers"]])
        self._tell()

    def _head(self, state: dict[str, Any]) -> Text:
        ready = ("ready", "bold green") if state["ready"] else ("not ready", "bold yellow")
        config = state["config"]
        return Text.assemble(
            ("edge ", "bold"), state["version"], "  ", ready, f"  {', '.join(state['addresses'])}",
            f"  up {ago(state['time'] - state['started'])}",
            f"  {config['name']} no. {config['number']} for {ago(state['time'] - config['when'])}",
        )  # fmt: skip

    def _figures(self, state: dict[str, Any], point: dict[str, Any] | None) -> Text:
        rate = "–" if point is None else count(point["rate"])
        shown = Text.assemble((rate, "bold"), "/s  ")
        for name, colour in _CLASSES.items():
            shown.append(f"{name} ", colour)
            shown.append(f"{'–' if point is None else count(point['classes'][name])}  ")
        most = max(self._rates, default=0.0)
        in_flight, total = count(state["in_flight"]), count(state["requests"])
        shown.append(f"{in_flight} in flight  {total} in all  at most {count(most)}/s in the last minutes", "dim")
        return shown

    def _fill(self, selector: str, rows: list[tuple[str, list[Text]]]) -> None:
        """Put rows into a table; the one that is chosen stays so."""
        table: DataTable[Text] = self.query_one(selector, DataTable)
        chosen = table.cursor_row
        table.clear()
        for key, cells in rows:
            table.add_row(*cells, key=key)
        if rows:
            table.move_cursor(row=min(chosen, len(rows) - 1), animate=False)

    def _tell(self) -> None:
        """What a key has done, or else the problems of the last reload."""
        lines = [self._said] if self._said else []
        reload = None if self.state is None else self.state["reload"]
        if reload is not None and not reload["done"]:
            lines.append(f"The last reload changed nothing: {reload['reason'] or 'the Edgefile has errors'}")
            lines += [_problem(problem) for problem in reload["problems"][:5]]
        self.query_one("#problems", Static).update("\n".join(lines))

    # ---- what keys do

    def action_reload(self) -> None:
        self._act(self._server.reload)

    def action_drain(self) -> None:
        upstreams = [] if self.state is None else self.state["upstreams"]
        row = self.query_one("#upstreams-table", DataTable).cursor_row
        if row < len(upstreams):
            chosen = upstreams[row]
            self._act(lambda: self._server.drain(chosen["address"], drained=not chosen["drained"]))

    @work(thread=True, exit_on_error=False)
    def _act(self, action: Any) -> None:
        try:
            said = action()
        except click.ClickException as error:
            said = error.message
        self.call_from_thread(self._say, said)

    def _say(self, said: str) -> None:
        self._said = said
        self._tell()


def _table(name: str, *columns: str) -> DataTable[Text]:
    table: DataTable[Text] = DataTable(id=name, cursor_type="row", zebra_stripes=True)
    for column in columns:
        table.add_column(column, key=column)
    return table


def _number(text: str, style: str = "") -> Text:
    return Text(text, style, justify="right")


def _route(route: dict[str, Any]) -> tuple[str, list[Text]]:
    style = "" if route["lately"] else "dim"
    numbers = [
        _number(count(route["rate"]), style),
        _number(count(route["errors"]), "red" if route["errors"] else style),
    ]
    times = [_number(duration(route[name]), style) for name in ("p50", "p95")]
    return f"{route['site']} {route['route']}", [
        Text(_short(route["route"]), style),
        *numbers,
        *times,
        Text(route["site"], style),
    ]


def _short(text: str) -> str:
    """A name that leaves room for the numbers behind it."""
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"


def _upstream(upstream: dict[str, Any]) -> tuple[str, list[Text]]:
    failures = upstream["failures"]
    waiting = f" +{upstream['waiting']}" if upstream["waiting"] else ""
    return upstream["address"], [
        Text(upstream["address"]),
        Text("drained" if upstream["drained"] else "in use", "yellow" if upstream["drained"] else "green"),
        _number(f"{upstream['in_use']}{waiting}"),
        _number(str(upstream["idle"])),
        _number(count(failures), "red" if failures else ""),
        _number(duration(upstream["latency"]["p95"])),
        _number(str(upstream["weight"])),
    ]


def _worker(worker: dict[str, Any], now: float) -> tuple[str, list[Text]]:
    return str(worker["number"]), [
        _number(str(worker["number"])),
        Text(worker["state"], _STATES.get(worker["state"], "yellow")),
        _number(str(worker["pid"] or "–")),
        _number(str(worker["restarts"]), "yellow" if worker["restarts"] else ""),
        _number(ago(now - worker["since"])),
        _number(duration(worker["delay"])),
    ]


def _problem(problem: dict[str, Any]) -> str:
    place = f"{problem['file']}:{problem['line']}:{problem['column']}: " if problem["file"] else ""
    return f"{place}{problem['code']}: {problem['message']}"
