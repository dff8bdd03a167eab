"""A worker as the supervisor sees it: a process, and the channel to it."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import anyio

from edgescript.observe.segments import Segment
from edgescript.runtime.control import Channel, ChannelLost, Garbage, Message

#: Of the environment that systemd gives us, what is not for workers.
_NOT_FOR_WORKERS = (
    "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
)  # fmt: skip
#: Seconds between two looks at a process, where the system cannot tell when it ends.
_LOOK = 0.05

STARTING, READY, DRAINING, DEAD = "starting", "ready", "draining", "dead"


class NoAnswer(Exception):
    """A worker has ended, or did not answer in time; the message says which."""


class Child:
    """One worker process. `attend` runs for as long as it lives."""

    def __init__(self, number: int, pid: int, end: socket.socket, segment: Segment, *, received: bytes = b"") -> None:
        self.number = number
        self.pid = pid
        self.channel = Channel(end, received)
        self.state = STARTING
        #: Seconds since 1970: of the last change of state.
        self.since = time.time()
        #: When it was last heard, on the monotonic clock.
        self.heard = time.monotonic()
        #: It has said something. Until then it is an interpreter that starts.
        self.speaks = False
        #: When it became ready, on the monotonic clock.
        self.ready_since: float | None = None
        #: Its end was asked for.
        self.leaving = False
        #: Where it counts.
        self.segment = segment
        #: Why it ended; "" while it lives.
        self.reason = ""
        self.gone = anyio.Event()
        #: It has nothing more to say.
        self._silence = anyio.Event()
        #: It was killed because it did not answer.
        self.was_silent = False
        self._killed = ""
        self._numbers = itertools.count(1)
        self._answers: dict[int, _Answer] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls, number: int, engine: str) -> Child:
        """
        Start a worker. It is a new interpreter: forking a process with a running loop and threads is not safe.

        :raises OSError: if it cannot be started
        """
        segment = Segment.create(str(number))
        ours, theirs = socket.socketpair()
        passed = [theirs.fileno(), segment.descriptor]
        command = [sys.executable, "-P", "-m", "edgescript.runtime.worker", *map(str, (number, engine, *passed))]
        environment = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_WORKERS}
        try:
            # In a group of its own: what a terminal sends to all of its group, such as Ctrl-C, is for us alone.
            process = subprocess.Popen(  # noqa: S603  # our own program
                command, pass_fds=passed, env=environment, stdin=subprocess.DEVNULL, process_group=0
            )
        except BaseException:
            ours.close()
            segment.close()
            raise
        finally:
            theirs.close()
        made = cls(number, process.pid, ours, segment)
        made._process = process
        return made

    # Passing it on to another program, whose child it is then

    def as_data(self) -> dict[str, Any]:
        """As JSON has it, for `of_data` in the program that this process becomes; the descriptors stay open then."""
        return {
            "number": self.number,
            "pid": self.pid,
            "channel": self.channel.fileno(),
            "received": self.channel.received.hex(),
            "segment": self.segment.descriptor,
            "state": self.state,
            "since": self.since,
            "leaving": self.leaving,
        }

    @property
    def descriptors(self) -> list[int]:
        """Of all that `as_data` names."""
        return [self.channel.fileno(), self.segment.descriptor]

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Child:
        number, channel, segment = data["number"], data["channel"], data["segment"]
        for descriptor in (channel, segment):
            os.set_inheritable(descriptor, False)
        end = socket.socket(fileno=channel)
        made = cls(number, data["pid"], end, Segment(str(number), segment), received=bytes.fromhex(data["received"]))
        made.become(data["state"])
        made.since, made.leaving, made.speaks = data["since"], data["leaving"], True
        return made

    def __str__(self) -> str:
        return f"worker {self.number} (process {self.pid})"

    def become(self, state: str) -> None:
        self.state = state
        self.since = time.time()
        if state == READY and self.ready_since is None:
            self.ready_since = time.monotonic()

    # Its life

    async def attend(self, told: Callable[[Child, Message], None]) -> None:
        """Receive what it says, and see to its end; `told` gets what is no answer."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._listen, told)
            await self._ended()
            # What it said last may still be on its way.
            with anyio.move_on_after(1):
                await self._silence.wait()
            tasks.cancel_scope.cancel()
        self.become(DEAD)
        self.channel.close()
        for answer in self._answers.values():
            answer.came.set()
        self.gone.set()

    async def _listen(self, told: Callable[[Child, Message], None]) -> None:
        try:
            while (message := await self.channel.receive()) is not None:
                self.heard, self.speaks = time.monotonic(), True
                number = message.fields.get("id")
                answer = self._answers.get(number) if isinstance(number, int) else None
                if answer is not None:
                    answer.message = message
                    answer.came.set()
                else:
                    told(self, message)
        except Garbage as error:
            self.kill(f"said what makes no sense: {error}")
        finally:
            self._silence.set()

    async def _ended(self) -> None:
        await _wait_for_end(self.pid)
        while (status := _status(self.pid)) is None:  # noqa: ASYNC110  # without pidfds nothing tells when
            await anyio.sleep(_LOOK)
        code = os.waitstatus_to_exitcode(status)
        if self._process is not None:
            self._process.returncode = code  # it would wait, too
        self.reason = self._killed or how_it_ended(code)

    def kill(self, reason: str) -> None:
        """End it at once."""
        if not self.reason:
            self._killed = self._killed or reason
            os.kill(self.pid, signal.SIGKILL)  # it has not been waited for, so the number is still its own

    def kill_silent(self, seconds: float) -> None:
        """End it because nothing was heard of it for so long."""
        self.was_silent = self.was_silent or not self._killed
        self.kill(f"did not answer for {seconds:g} s")

    # Talking to it

    def send(self, kind: str, /, descriptors: Sequence[int] = (), **fields: Any) -> None:
        """Tell it something; one that is gone does not hear it."""
        try:
            self.channel.send(kind, descriptors, **fields)
        except ChannelLost:
            self.kill("does not read what it is told")

    async def request(
        self, kind: str, /, descriptors: Sequence[int] = (), *, patience: float, **fields: Any
    ) -> Mapping[str, Any]:
        """
        Ask it something.

        :raises NoAnswer: if it has ended, or does not answer within `patience` seconds
        :raises OSError: if the descriptors cannot be sent, because too many are open
        """
        number = next(self._numbers)
        answer = self._answers[number] = _Answer()
        try:
            if not self.reason:
                self.send(kind, descriptors, id=number, **fields)
                with anyio.move_on_after(patience):
                    await answer.came.wait()
        finally:
            del self._answers[number]
        if answer.message is not None:
            return answer.message.fields
        if self.reason:
            raise NoAnswer(f"{self} {self.reason}")
        raise NoAnswer(f"{self} did not answer for {patience:g} s")


class _Answer:
    """What a request waits for."""

    __slots__ = ("came", "message")

    def __init__(self) -> None:
        self.came = anyio.Event()
        self.message: Message | None = None


async def _wait_for_end(pid: int) -> None:
    """Wait until a process has ended, where the system can tell (pidfd_open(2))."""
    try:
        watched = os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, or no descriptor is left: it is looked at again and again
        return
    try:
        await anyio.wait_readable(watched)
    finally:
        os.close(watched)


def _status(pid: int) -> int | None:
    """How a child of this process has ended; None while it lives."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return status if found else None


def see_orphans_off(ours: Collection[int]) -> None:
    """Let go of processes that have ended and are our children without having been started by us."""
    with contextlib.suppress(ChildProcessError):  # there is no child at all
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if ended.si_pid in ours:
                break  # whoever attends it wants to know how it has ended
            os.waitpid(ended.si_pid, 0)


def how_it_ended(code: int) -> str:
    """An exit code in words; negative ones are signals."""
    if code < 0:
        try:
            return f"was killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"was killed by signal {-code}"
    return f"ended with exit code {code}"


# ---- starting anew

#: Seconds after which a worker counts as healthy, so that its end is a first one.
HEALTHY = 10.0
_FIRST = 0.1
_LONGEST = 10.0


def pause(failures: int) -> float:
    """How long to wait before a worker is started that has ended so many times in a row: not at all the first time."""
    return 0.0 if failures < 2 else min(_LONGEST, _FIRST * 2.0 ** min(failures - 2, 30))
