"""What the admin address may ask of the running server; `runtime` has the answer to it.

The admin address lives in the supervisor, which runs no graph. What only a worker knows is asked of the workers, by name:
`runtime.questions` lists what they answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from edgescript.text.problem import Problem


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One worker, as the supervisor sees it."""

    number: int
    pid: int
    #: "starting", "ready", "draining" or "dead".
    state: str
    #: Seconds since 1970.
    since: float
    #: How often it was started anew, and why the last time.
    restarts: int
    reason: str


@dataclass(frozen=True, slots=True)
class Applied:
    """A configuration that was put to use, or what became of the attempt."""

    #: It is in use now. Without it nothing has changed.
    done: bool
    problems: Sequence[Problem]
    #: What went wrong beside the file: a worker that failed, an address that is taken. "" where nothing did.
    reason: str
    #: Which one of the history it is; 0 where nothing was applied.
    number: int = 0


@dataclass(frozen=True, slots=True)
class Past:
    """One configuration of the history."""

    number: int
    #: Seconds since 1970.
    when: float
    #: Who asked for it: "start", "signal", "admin", "watch", "rollback to 3".
    source: str
    #: The file's name, and its text.
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Status:
    """The server at a glance."""

    version: str
    pid: int
    #: Seconds since 1970.
    started: float
    addresses: Sequence[str]
    workers: Sequence[WorkerStatus]
    #: Every worker answers requests.
    ready: bool
    #: The current configuration.
    config: Past
    #: The last attempt to apply another one.
    last_reload: Applied | None
    #: Why the last upgrade has failed, or "".
    upgrade_failed: str = ""


class Operator(Protocol):
    """A running server, as far as others may work on it."""

    def status(self) -> Status: ...

    def history(self) -> Sequence[Past]:
        """The configurations that were applied, the newest first; at most 20."""

    async def check(self, text: str) -> Applied:
        """What would be wrong with a text in place of the current Edgefile; nothing is set up, so it is never done."""

    async def apply(self, text: str | None, *, source: str) -> Applied:
        """
        Put a configuration to use in every worker, or in none.

        :param text: in place of the Edgefile's; None: read the file again
        """

    async def roll_back(self, number: int | None = None) -> Applied:
        """
        Put a configuration of the history to use again; without a number, the one before the current one.

        :raises LookupError: if there is none
        """

    async def ask(self, question: str, arguments: Mapping[str, Any], *, worker: int | None = None) -> list[Any]:
        """
        What the workers answer to a question, as JSON has it: one answer of each, or of the one that is named.

        A worker that does not answer in time is left out.

        :raises LookupError: if there is no such question or worker
        """

    @property
    def shares(self) -> Mapping[str, Mapping[str, Any]]:
        """The servers behind that get another share of new requests than the Edgefile says, by address: `drained`, `weight`."""

    async def share(self, shares: Mapping[str, Mapping[str, Any]]) -> None:
        """Have all workers go by these shares, and each that will be started, whatever is reloaded."""

    def listen(self, topic: str) -> AsyncIterator[str]:
        """What the workers tell from now on, a line each, while somebody iterates: "log" is the lines of their access logs."""

    def metrics(self) -> Sequence[Any]:
        """The sums of all workers' metrics, as `observe` has them."""

    async def upgrade(self) -> str:
        """Replace the program by the one that is installed now, and give its version; raises RuntimeError if it cannot be."""

    def stop(self) -> None:
        """Begin to stop gracefully."""
