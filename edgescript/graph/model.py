"""The compiled, frozen result: what a request runs through, and what `edge explain` and `edge adapt` show.

A route is one flat program. A nested block is no nested call: its steps stand in the same list, and a step that decides
between blocks gives the position to go on at. So the list that is printed is the list that runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from edgescript.declare.entries import Closeable, Role, Test
from edgescript.graph.match import HostTable
from edgescript.graph.shared import close_all, start
from edgescript.http.exchange import Exchange, Tally
from edgescript.metric import Meter
from edgescript.tally import ListenerTally
from edgescript.text.source import Span

if TYPE_CHECKING:
    import anyio.abc

T = TypeVar("T")


class Flow(IntEnum):
    """What the runner does with a step's result."""

    CALL = 0  # a plain function: None goes on, a Response stops
    AWAIT = 1  # a coroutine function: the same, awaited
    JUMP = 2  # gives the position to go on at
    AROUND = 3  # a coroutine function that is also given what is below it, see `declare.entries.Around`


class Matcher(NamedTuple):
    """One compiled matcher of a step: the test, and how to tell about it."""

    test: Test
    #: As written: `path /api/*`, `@writes`.
    text: str
    #: What was compared, for a person: "the path is /x".
    reason: Callable[[Exchange], str]
    span: Span | None
    #: The parts of a named or negated matcher, all of which must hold.
    parts: tuple[Matcher, ...] = ()
    #: Path patterns, where the test is nothing but one `path` matcher: the path index uses them.
    paths: tuple[str, ...] | None = None


class Choice(NamedTuple):
    """One of the alternatives of a step that chooses between blocks or paths."""

    #: As written, on one line.
    text: str
    span: Span | None
    #: None: it takes every request that no earlier one took.
    matcher: Matcher | None
    #: Where its steps begin.
    position: int


class Step(NamedTuple):
    """One element of a program, as people see it. (A tuple is made four times as fast, and there are many.)"""

    #: The directive's name, or "choose" and "end" for what groups add.
    name: str
    #: As written, on one line.
    text: str
    span: Span | None
    matcher: Matcher | None
    flow: Flow
    run: Callable[..., Any]
    #: Where to go on if the matcher does not match.
    otherwise: int
    #: Nesting depth of the block it was written in.
    depth: int
    explain: Callable[[Exchange], str | None] | None = None
    #: The bound entry; None for steps that groups add.
    entry: Any = None
    #: What the directive does with a request; None for steps that groups add.
    role: Role | None = None
    #: Of a step that chooses: the alternatives in the order written; the first that matches is taken.
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Program:
    """A flat list of steps. `code` is the same list as the runner reads it: (test, run, otherwise, flow) for each step."""

    steps: tuple[Step, ...]
    code: tuple[tuple[Test | None, Callable[..., Any], int, int], ...] = field(repr=False)
    #: For each step, what counts a request whose way ends there.
    tallies: tuple[Tally | None, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not self.tallies:
            object.__setattr__(self, "tallies", (None,) * len(self.code))


@dataclass(frozen=True, slots=True)
class ErrorRoute:
    """One `handle_errors`: which statuses it answers (empty: all), and how."""

    statuses: frozenset[int]
    #: Hundreds: 4 for 4xx.
    classes: frozenset[int]
    program: Program
    span: Span | None = None

    def fits(self, status: int) -> bool:
        """Whether it answers errors of this status."""
        return not (self.statuses or self.classes) or status in self.statuses or status // 100 in self.classes


@dataclass(frozen=True, slots=True)
class Site:
    """What one site block answers."""

    #: Its addresses as written.
    names: tuple[str, ...]
    span: Span | None
    program: Program
    #: Most specific first.
    errors: tuple[ErrorRoute, ...]


@dataclass(frozen=True, slots=True)
class Listener:
    """One address that is listened on, and the sites reached there."""

    #: "" for all interfaces; a path for a unix socket (port None).
    host: str
    port: int | None
    hosts: HostTable[Site]
    #: Counts its connections; by default where nobody looks.
    tally: ListenerTally = field(default_factory=lambda: ListenerTally(Meter(), ""), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Graph:
    """Everything an Edgefile means."""

    listeners: tuple[Listener, ...]
    sites: tuple[Site, ...]
    settings: Mapping[type, Any]
    #: `test` blocks, as parsed.
    tests: Sequence[Any]
    resources: tuple[Closeable, ...]
    #: What this graph counts, beside others of the process.
    meter: Meter = field(default_factory=Meter, compare=False, repr=False)

    def setting(self, kind: type[T]) -> T:
        """The bound instance of a setting, or one with its defaults."""
        value: T = self.settings[kind]
        return value

    async def start(self, tasks: anyio.abc.TaskGroup) -> None:
        """
        Start what must run before the first request, in the order in which it was built.

        :param tasks: for what runs in the background; it outlives the graph
        :raises Exception: whatever keeps one of them from starting; the graph is to be closed then
        """
        for resource in self.resources:
            await start(resource, tasks)

    async def close(self) -> None:
        """
        Close whatever the steps opened, the last first.

        :raises ExceptionGroup: if some cannot be closed; all others are closed nevertheless
        """
        await close_all((self.meter, *self.resources))
