"""
The supervisor: it owns the listening sockets, and sees that the workers serve. It runs no graph.

A configuration is put to use in two steps. Every worker prepares it, which changes nothing; when all are ready, all are told
to switch. A worker that is not there at that time is started for it, so that nothing is put to use that nobody has tried.
What changes the set of workers or their configuration holds `_changing`, so that there is one change at a time.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import anyio.to_thread
from anyio.streams.memory import MemoryObjectSendStream

from edgescript.admin.operator import Applied, Past, Status, WorkerStatus
from edgescript.language.files import read_file
from edgescript.runtime import child as states
from edgescript.runtime.bundle import Bundle, in_memory
from edgescript.runtime.child import HEALTHY, Child, NoAnswer, pause
from edgescript.runtime.configuration import Configuration, Understood, understand
from edgescript.runtime.control import Message
from edgescript.runtime.engines import Engine
from edgescript.runtime.followed import INTERVAL, Followed
from edgescript.runtime.history import Entry, History
from edgescript.runtime.notify import Notifier
from edgescript.runtime.problems import of_data
from edgescript.runtime.questions import QUESTIONS, TOPICS
from edgescript.runtime.sockets import Sockets
from edgescript.server.listen import ListenError
from edgescript.text.problem import Problem, in_order
from edgescript.text.source import Source
from edgescript.version import __version__

log = logging.getLogger("edgescript.runtime")

#: Seconds that a worker may take to prepare a configuration: modules of users are imported then.
PREPARING = 60.0
#: Seconds that it may take to switch to one that it has prepared.
SWITCHING = 10.0
#: Seconds that it may take to answer a question.
ANSWERING = 2.0
#: Seconds without a sign of life after which new connections go to other workers.
QUIET = 2.0
#: Seconds between two looks at the workers.
LOOK = 0.25
#: Seconds that a connection may take from its first packet to the queue, and the most that is waited for queues to be empty.
HANDSHAKE = 0.3
EMPTYING = 3.0
#: Seconds beyond the grace period, and from being told to cut everything off, until a worker is killed.
OVERDUE = 5.0
ABORTING = 1.0
#: Lines that wait for somebody who listens; those that come on top are not told.
LINES = 1000


class CannotStart(Exception):
    """The server cannot start; what is wrong was told, but for the message."""


@dataclass(slots=True)
class _Slot:
    """The place of one worker, which one process after the other takes."""

    number: int
    child: Child | None = None
    #: How often it was started anew, and why the last time.
    restarts: int = 0
    reason: str = ""
    #: How often in a row a worker ended without having been healthy.
    failures: int = 0
    since: float = field(default_factory=time.time)


class Supervisor:
    """
    A running server, made of processes. It is what the admin address works on (`admin.operator.Operator`).

    :param source: the Edgefile
    :param directory: where its relative paths start
    :param followed: what the Edgefile was read with, to be looked at for changes; None: nothing is
    :param workers: how many, instead of what the file says; 0 for one for each core
    :param state: the program's directory, for the history
    :param tell: a line for whoever has started the server
    :param show: problems for the same
    """

    def __init__(
        self,
        source: Source,
        directory: str,
        *,
        engine: Engine = "fast",
        workers: int | None = None,
        followed: Followed | None = None,
        state: Path,
        sockets: Sockets | None = None,
        notifier: Notifier | None = None,
        tell: Callable[[str], object],
        show: Callable[[Sequence[Problem]], object],
    ) -> None:
        self._source = source
        self._directory = directory
        self._engine = engine
        self._wanted = workers
        self._followed = followed
        self._sockets = sockets or Sockets()
        self._notifier = notifier or Notifier()
        self._tell = tell
        self._show = show
        self._history = History.of(state, os.path.join(directory, os.path.basename(source.name)))
        self._current: Configuration | None = None
        self._slots: dict[int, _Slot] = {}
        #: Workers that are to end, as well.
        self._children: set[Child] = set()
        self._steered: frozenset[int] = frozenset()
        self._changing = anyio.Lock()
        self._stopping = anyio.Event()
        self._started = time.time()
        self._last_reload: Applied | None = None
        self._listeners: dict[str, set[MemoryObjectSendStream[str]]] = {}

    @property
    def current(self) -> Configuration:
        """The configuration that is in use."""
        assert self._current is not None, "nobody is asked before the start"
        return self._current

    # ---- from the start to the end

    async def run(self) -> None:
        """
        Serve until a signal comes, or `stop` is called.

        :raises CannotStart: if it cannot even start; everything that is wrong was shown, the message is left to be told
        """
        failure: CannotStart | None = None
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            tasks.start_soon(self._heed_signals)
            try:
                await self._start()
            except CannotStart as error:
                failure = error
                await self._kill_all("is not needed")
            else:
                for service in (self._look_after, self._follow, self._feed_watchdog):
                    tasks.start_soon(service)
                await self._stopping.wait()
                await self._end()
            tasks.cancel_scope.cancel()
        self._sockets.close()
        if failure is not None and not self._stopping.is_set():
            raise failure

    async def _start(self) -> None:
        # Bad files are told before anything is started.
        understood = await self._understood(self._source)
        self._show(understood.problems)
        if understood.configuration is None:
            raise CannotStart(understood.reason)
        async with self._changing:
            applied = await self._put_to_use(understood, source="start")
        told = set(understood.problems)
        self._show([problem for problem in applied.problems if problem not in told])
        if not applied.done:
            raise CannotStart(applied.reason)
        for unused in self._sockets.unused:
            log.warning("no site listens on %s, which was passed to us", unused.getsockname())
        self._tell(f"listening on {', '.join(self.addresses)}")
        self._notifier.ready(self._summary())

    @property
    def addresses(self) -> list[str]:
        """Where it listens, in the order of the sites."""
        return [str(address) for address in self._sockets.addresses(self.current.keys)]

    def _summary(self) -> str:
        return f"serving with {self.current.workers} workers on {', '.join(self.addresses)}"

    def stop(self) -> None:
        """Begin to stop gracefully."""
        self._stopping.set()

    async def _end(self) -> None:
        """Let every worker finish what is in flight; first what is queued is accepted, and nothing new begins."""
        self._notifier.stopping()
        self._sockets.turn_away(self.current.keys)
        await self._empty({slot.number for slot in self._slots.values() if _is_ready(slot.child)})
        async with anyio.create_task_group() as ending:
            for each in tuple(self._children):
                ending.start_soon(self._end_one, each)
            self._sockets.close()

    async def _empty(self, numbers: Collection[int]) -> None:
        """Wait until the queues of some workers are empty, to which no new connections come."""
        if not numbers:
            return
        since = time.monotonic()
        with anyio.move_on_after(EMPTYING):
            while self._sockets.queued(numbers) or time.monotonic() - since < HANDSHAKE:  # noqa: ASYNC110
                await anyio.sleep(0.01)

    async def _end_one(self, one: Child) -> None:
        """Have a worker stop gracefully, but not for ever."""
        one.leaving = True
        if one.state == states.READY:
            one.become(states.DRAINING)
        one.send("stop")
        with anyio.move_on_after(self.current.grace_period + OVERDUE):
            await one.gone.wait()
            return
        await self._abort_one(one)

    async def _abort_one(self, one: Child) -> None:
        one.leaving = True
        one.send("abort")
        with anyio.move_on_after(ABORTING):
            await one.gone.wait()
            return
        one.kill("did not stop")
        await one.gone.wait()

    async def _abort(self) -> None:
        """Cut off whatever is in flight."""
        async with anyio.create_task_group() as ending:
            for each in tuple(self._children):
                ending.start_soon(self._abort_one, each)

    async def _kill_all(self, reason: str) -> None:
        for each in tuple(self._children):
            each.leaving = True
            each.kill(reason)
        for each in tuple(self._children):
            await each.gone.wait()

    # ---- signals and services

    async def _heed_signals(self) -> None:
        with anyio.open_signal_receiver(*SIGNALS) as signals:
            async for number in signals:
                if number in (signal.SIGINT, signal.SIGTERM):
                    if self._stopping.is_set() or self._current is None:
                        self._tasks.start_soon(self._abort)
                    self.stop()
                elif self._current is None:
                    continue  # it is being started
                elif number == signal.SIGHUP:
                    self._tasks.start_soon(self._reload, "signal")
                elif number == signal.SIGUSR1:
                    self._reopen_logs()

    def _reopen_logs(self) -> None:
        for each in self._children:
            each.send("reopen")

    async def _follow(self) -> None:
        """Take over what has changed, with `--watch`."""
        while self._followed is not None:
            await anyio.sleep(INTERVAL)
            if self._followed.changed():
                await self._reload("watch")

    async def _feed_watchdog(self) -> None:
        while self._notifier.watchdog is not None:
            self._notifier.send("WATCHDOG=1")
            await anyio.sleep(self._notifier.watchdog / 3)

    # ---- workers

    def _spawn(self, number: int) -> Child:
        """:raises OSError: if no process can be started"""
        one = Child.start(number, self._engine)
        self._attend(one)
        return one

    def _attend(self, one: Child) -> None:
        self._children.add(one)
        self._tasks.start_soon(self._see_to, one)

    async def _see_to(self, one: Child) -> None:
        await one.attend(self._heard)
        self._children.discard(one)
        slot = self._slots.get(one.number)
        if slot is not None and slot.child is one:
            self._lost(slot, one)

    def _heard(self, one: Child, message: Message) -> None:
        """What a worker tells unasked."""
        message.close()
        if message.type == "leaving":
            one.become(states.DRAINING)
            self._steer()
        elif message.type == "line":
            self._pass_on(message.fields)

    def _lost(self, slot: _Slot, one: Child) -> None:
        """A worker has ended that should serve."""
        slot.child = None
        slot.reason, slot.since = one.reason, one.since
        self._steer()
        if self._stopping.is_set():
            return
        was_healthy = one.ready_since is not None and time.monotonic() - one.ready_since >= HEALTHY
        slot.failures = 1 if was_healthy else slot.failures + 1
        self._again(slot, f"{one} {one.reason}")

    def _again(self, slot: _Slot, what: str) -> None:
        """Start a worker anew in a place; soon, the first time."""
        delay = pause(slot.failures)
        when = "" if delay == 0 else f" in {delay:g} s"
        self._tell(f"{what}; it is started anew{when}")
        self._tasks.start_soon(self._restart, slot, delay)

    async def _restart(self, slot: _Slot, delay: float) -> None:
        await anyio.sleep(delay)
        async with self._changing:
            if slot.child is not None or self._slots.get(slot.number) is not slot or self._stopping.is_set():
                return  # a reload has started one meanwhile, or there is to be none
            slot.restarts += 1
            try:
                one = slot.child = self._spawn(slot.number)
                await self._prepare([one], self.current.bundle)
                await self._commit([one])
            except (NoAnswer, _NotPrepared, OSError) as error:
                failed, slot.child = slot.child, None
                if failed is not None:
                    failed.kill("is not needed")
                slot.failures += 1
                slot.reason = str(error)
                self._again(slot, f"worker {slot.number} cannot be started: {error}")

    async def _look_after(self) -> None:
        """Replace workers that do not answer; those that are silent for a moment get no new connections."""
        looked = time.monotonic()
        while True:
            await anyio.sleep(LOOK)
            now = time.monotonic()
            late = now - looked - LOOK  # when this process itself had no time, it could hear nobody
            looked = now
            for one in self._children:
                one.heard += late if late > LOOK else 0.0
                silent = now - one.heard
                if silent > self.current.unresponsive:
                    one.kill(f"did not answer for {self.current.unresponsive:g} s")
            self._steer()

    def _steer(self) -> None:
        """Have new connections go to the workers that can take them."""
        now = time.monotonic()
        able = frozenset(
            slot.number
            for slot in self._slots.values()
            if slot.child is not None and _is_ready(slot.child) and now - slot.child.heard < QUIET
        )
        if able != self._steered:
            self._steered = able
            self._sockets.steer(able)

    # ---- configurations

    async def _understood(self, source: Source) -> Understood:
        read = read_file if self._followed is None else self._followed.read
        return await anyio.to_thread.run_sync(
            lambda: understand(source, self._directory, workers=self._wanted, read=read)
        )

    async def _reload(self, source: str) -> None:
        """`apply`, for those who are not told what came of it but on standard error."""
        await self.apply(None, source=source)

    def _read_again(self) -> Source:
        """:raises OSError: if it cannot be read"""
        if self._source.name == "<stdin>":
            raise OSError("standard input cannot be read again")
        if self._followed is not None:
            self._followed = Followed()
            self._followed.add(self._source.name)
        return Source.of_bytes(self._source.name, read_file(self._source.name))

    async def apply(self, text: str | None, *, source: str) -> Applied:
        """Put a configuration to use in every worker, or in none."""
        async with self._changing:
            try:
                wanted = self._read_again() if text is None else Source(self._source.name, text)
            except OSError as error:
                reason = f"{self._source.name}: {(error.strerror or str(error)).lower()}"
                return self._reloaded(Applied(False, (), reason))
            self._notifier.reloading()
            return self._reloaded(await self._put_to_use(await self._understood(wanted), source=source))

    async def roll_back(self, number: int | None = None) -> Applied:
        """Put a configuration of the history to use again; the file stays as it is."""
        entry = self._history.find(number)
        bundle = entry.bundle
        async with self._changing:
            self._notifier.reloading()
            understood = await anyio.to_thread.run_sync(
                lambda: understand(
                    bundle.source, bundle.directory, workers=self._wanted, read=bundle.read, find=bundle.find
                )
            )
            return self._reloaded(await self._put_to_use(understood, source=f"rollback to {entry.number}"))

    def _reloaded(self, applied: Applied) -> Applied:
        self._last_reload = applied
        self._show(applied.problems)
        if applied.done:
            self._tell(f"{self._source.name} was taken over")
        elif applied.reason:
            self._tell(f"{self._source.name} was not taken over: {applied.reason}; the server goes on as it was")
        else:
            self._tell(f"{self._source.name} was not taken over; the server goes on as it was")
        self._notifier.ready(self._summary())
        return applied

    async def _put_to_use(self, understood: Understood, *, source: str) -> Applied:
        """Have all workers prepare a configuration, and when all are ready, switch to it."""
        wanted = understood.configuration
        if wanted is None:
            return Applied(False, understood.problems, understood.reason)
        try:
            opened = self._sockets.open(wanted.keys, wanted.workers)
        except ListenError as error:
            return Applied(False, understood.problems, str(error))
        children: list[Child] = []
        try:
            children.extend(self._serving(number) or self._spawn(number) for number in range(wanted.workers))
            told = await self._prepare(children, wanted.bundle, keys=wanted.keys)
        except (NoAnswer, _NotPrepared, OSError) as error:
            self._give_up(children)
            self._sockets.undo(opened)
            more = of_data(error.problems, _sources(understood)) if isinstance(error, _NotPrepared) else []
            reason = "" if more else str(error)
            return Applied(False, in_order([*understood.problems, *more]), reason)
        await self._switch(wanted, children)
        number = self._history.record(wanted.bundle, source=source)
        problems = in_order([*understood.problems, *of_data(told, _sources(understood))])
        return Applied(True, problems, "", number)

    def _serving(self, number: int) -> Child | None:
        """The worker in a place, if it is one that can be asked."""
        slot = self._slots.get(number)
        return slot.child if slot is not None and slot.child is not None and _is_ready(slot.child) else None

    async def _prepare(
        self, children: Iterable[Child], bundle: Bundle, *, keys: Sequence[tuple[str, int | None]] | None = None
    ) -> list[Mapping[str, Any]]:
        """
        Have workers prepare a configuration, and give the problems that they found.

        :raises NoAnswer: if one has ended, or takes too long; it is killed then
        :raises _NotPrepared: if one cannot
        """
        keys = self.current.keys if keys is None else keys
        memory = in_memory("edgefile", bundle.as_data())
        answers: list[Mapping[str, Any]] = []
        failures: list[NoAnswer] = []

        async def ask(one: Child) -> None:
            sockets = self._sockets.of(one.number, keys)
            descriptors = [memory, *(made.fileno() for made in sockets)]
            try:
                answers.append(await one.request("prepare", descriptors, patience=PREPARING, keys=list(keys)))
            except NoAnswer as error:
                one.kill("took too long to prepare a configuration")
                failures.append(error)

        try:
            async with anyio.create_task_group() as asking:
                for each in children:
                    asking.start_soon(ask, each)
        finally:
            os.close(memory)
        if failures:
            raise failures[0]
        for answer in answers:
            if not answer["ok"]:
                raise _NotPrepared(answer["problems"], answer["reason"])
        return answers[0]["problems"] if answers else []

    def _give_up(self, children: Iterable[Child]) -> None:
        """Nothing is to change: workers that serve forget what they have prepared, new ones are not needed."""
        for one in children:
            if one.state == states.READY:
                one.send("abandon")
            else:
                one.leaving = True
                one.kill("is not needed")

    async def _switch(self, wanted: Configuration, children: Sequence[Child]) -> None:
        """All are ready. What fails now is the failure of a worker, which is replaced."""
        before = self._current
        removed = [] if before is None else [key for key in before.keys if key not in wanted.keys]
        if removed:
            self._sockets.turn_away(removed)
            await self._empty(self._slots.keys())
        self._current = wanted
        for one in children:
            slot = self._slots.setdefault(one.number, _Slot(one.number))
            slot.child = one
        await self._commit(children)
        for one in children:
            if one.gone.is_set() and self._slots[one.number].child is one:
                self._lost(self._slots[one.number], one)  # it had ended before it was in its place
        self._sockets.keep_only(wanted.keys, max([wanted.workers, *(number + 1 for number in self._slots)]))
        leaving = [self._slots.pop(number) for number in tuple(self._slots) if number >= wanted.workers]
        self._steer()
        if leaving:
            self._tasks.start_soon(self._let_go, [slot.child for slot in leaving if slot.child is not None])

    async def _commit(self, children: Iterable[Child]) -> None:
        async def switch(one: Child) -> None:
            try:
                await one.request("commit", patience=SWITCHING)
            except NoAnswer:
                one.kill("did not switch to a configuration that it had prepared")
            else:
                if one.state == states.STARTING:
                    one.become(states.READY)
                    self._tell_topics([one])

        async with anyio.create_task_group() as switching:
            for each in children:
                switching.start_soon(switch, each)
        self._steer()

    async def _let_go(self, children: Sequence[Child]) -> None:
        """Workers are not needed any more. New connections go to others by now; these accept what is queued, and end."""
        for one in children:
            one.leaving = True
        await self._empty({one.number for one in children})
        async with anyio.create_task_group() as ending:
            for one in children:
                ending.start_soon(self._end_one, one)
        async with self._changing:  # by now another change may have filled the places again
            self._sockets.keep_only(self.current.keys, self.current.workers)

    # ---- what may be asked

    def status(self) -> Status:
        workers = [self._worker_status(slot) for slot in self._slots.values()]
        ready = len(workers) == self.current.workers and all(one.state == states.READY for one in workers)
        return Status(
            version=__version__,
            pid=os.getpid(),
            started=self._started,
            addresses=self.addresses,
            workers=workers,
            ready=ready,
            config=_past(self._history.entries[-1]),  # what is put to use is the last of it
            last_reload=self._last_reload,
        )

    def _worker_status(self, slot: _Slot) -> WorkerStatus:
        one = slot.child
        state, since, pid = (states.DEAD, slot.since, 0) if one is None else (one.state, one.since, one.pid)
        return WorkerStatus(slot.number, pid, state, since, slot.restarts, slot.reason)

    def history(self) -> Sequence[Past]:
        return [_past(entry) for entry in reversed(self._history.entries)]

    async def check(self, text: str) -> Sequence[Problem]:
        """Everything that is wrong with a text in place of the Edgefile; nothing is set up."""
        source = Source(self._source.name, text)
        understood = await anyio.to_thread.run_sync(lambda: understand(source, self._directory, workers=self._wanted))
        return understood.problems

    async def ask(self, question: str, arguments: Mapping[str, Any], *, worker: int | None = None) -> list[Any]:
        """What the workers answer to a question; those that do not answer in time are left out."""
        if question not in QUESTIONS:
            raise LookupError(f"there is no question {question}")
        if worker is not None and worker not in self._slots:
            raise LookupError(f"there is no worker {worker}")
        asked = [one for number in sorted(self._slots) if worker in (None, number) and (one := self._serving(number))]
        answers: dict[int, Any] = {}

        async def ask_one(one: Child) -> None:
            try:
                found = await one.request("ask", patience=ANSWERING, question=question, arguments=dict(arguments))
            except NoAnswer as error:
                log.info("a question about %s is not answered: %s", question, error)
                return
            if "value" in found:
                answers[one.number] = found["value"]

        async with anyio.create_task_group() as asking:
            for one in asked:
                asking.start_soon(ask_one, one)
        return [answers[number] for number in sorted(answers)]

    async def listen(self, topic: str) -> AsyncIterator[str]:
        """What the workers tell from now on, a line each."""
        if topic not in TOPICS:
            raise LookupError(f"there is no topic {topic}")
        sending, receiving = anyio.create_memory_object_stream[str](LINES)
        listeners = self._listeners.setdefault(topic, set())
        listeners.add(sending)
        self._tell_topics()
        try:
            async with receiving:
                async for line in receiving:
                    yield line
        finally:
            listeners.discard(sending)
            sending.close()
            self._tell_topics()

    def _tell_topics(self, children: Iterable[Child] | None = None) -> None:
        for one in self._children if children is None else children:
            for topic, listeners in self._listeners.items():
                one.send("listen", topic=topic, wanted=bool(listeners))

    def _pass_on(self, fields: Mapping[str, Any]) -> None:
        for listener in self._listeners.get(str(fields.get("topic")), ()):
            with contextlib.suppress(anyio.WouldBlock):  # whoever is too slow sees gaps
                listener.send_nowait(str(fields.get("line")))

    def metrics(self) -> Sequence[Any]:
        return []

    async def upgrade(self) -> str:
        raise RuntimeError("not there yet")


class _NotPrepared(Exception):
    """A worker cannot prepare a configuration."""

    def __init__(self, problems: Sequence[Mapping[str, Any]], reason: str) -> None:
        super().__init__(reason or "; ".join(str(problem.get("message")) for problem in problems[:3]))
        self.problems = problems


def _is_ready(one: Child | None) -> bool:
    return one is not None and one.state == states.READY and not one.leaving


def _sources(understood: Understood) -> Callable[[str], Source]:
    return lambda name: understood.sources.get(name) or Source(name, "")


def _past(entry: Entry) -> Past:
    return Past(entry.number, entry.when, entry.source, entry.bundle.name, entry.bundle.text)


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
