"""
The supervisor: the process that owns the listening sockets, and puts configurations to use. It runs no graph.

A configuration is put to use in two steps. Every worker prepares it, which changes nothing; when all are ready, all are told
to switch. A worker that is not there at that time is started for it, so that nothing is put to use that nobody has tried.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import anyio.to_thread
from anyio.streams.memory import MemoryObjectSendStream

from edgescript.admin.operator import Applied, Past, Status
from edgescript.admin.serve import Admin
from edgescript.language.files import find_files, read_file
from edgescript.metric import Kind, Meter
from edgescript.observe import writer
from edgescript.observe.exposition import expose
from edgescript.observe.segments import Family, Segment, Totals, families, meter_on
from edgescript.observe.supervision import BUILD, LAST_RELOAD, LAST_RELOAD_TIME, RELOADS
from edgescript.runtime import upgrade
from edgescript.runtime.bundle import Bundle
from edgescript.runtime.child import Child, NoAnswer, see_orphans_off
from edgescript.runtime.configuration import Configuration, Understood, understand
from edgescript.runtime.control import Message
from edgescript.runtime.crew import Crew, NotPrepared
from edgescript.runtime.engines import Engine
from edgescript.runtime.followed import INTERVAL, Followed
from edgescript.runtime.history import Entry, History
from edgescript.runtime.notify import Notifier
from edgescript.runtime.problems import of_data
from edgescript.runtime.program_log import ProgramLogging
from edgescript.runtime.questions import QUESTIONS, TOPICS
from edgescript.runtime.reporting import Reporting
from edgescript.runtime.sockets import Sockets, taken_over
from edgescript.server.listen import ListenError
from edgescript.settings import admin as admin_setting
from edgescript.settings.metrics import Metrics
from edgescript.text.problem import Problem, in_order
from edgescript.text.source import Source
from edgescript.version import __version__

log = logging.getLogger("edgescript.runtime")

#: Seconds that a worker may take to answer a question.
ANSWERING = 2.0
#: Lines that wait for somebody who listens; those that come on top are not told.
LINES = 1000
#: Seconds that an answer about an upgrade may take to be on its way, before the program is replaced.
FAREWELL = 0.2
#: Seconds between two looks for processes that nobody waits for.
ORPHANED = 1.0
#: Seconds that what is still to be said to workers may take, then.
_FLUSHING = 2.0

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


class CannotStart(Exception):
    """The server cannot start. Problems were shown; the message is what is left to be told."""


class Supervisor:
    """
    A running server, made of processes. It is what the admin address works on (`admin.operator.Operator`).

    :param source: the Edgefile
    :param directory: where its relative paths start
    :param workers: how many, instead of what the file says; 0 for one for each core
    :param followed: what the Edgefile was read with, to be looked at for changes; None: nothing is
    :param state: the program's directory, for the history
    :param left: what the program that this process was has left, see `upgrade`
    :param tell: gets a line for whoever has started the server, wherever messages go
    :param show: gets the problems of Edgefiles, for whoever has started the server
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
        left: Mapping[str, Any] | None = None,
        tell: Callable[[str], object],
        show: Callable[[Sequence[Problem]], object],
    ) -> None:
        self._source = source
        self._directory = directory
        self._wanted = workers
        self._followed = followed
        self._left = left
        self._sockets = Sockets.of_data(left["sockets"]) if left else sockets or Sockets()
        self._notifier = notifier or Notifier()
        self._tell = tell
        self._show = show
        self._history = History.of(state, os.path.join(directory, os.path.basename(source.name)))
        self._totals = Totals()
        self._totals.meter.gauge(BUILD, __version__).set(1)
        self._crew = Crew(self._sockets, engine, self._totals, heard=self._heard)
        self._crew.on_ready = self._tell_topics
        self._reporting = Reporting(self._totals, again=left is not None)
        self._log = ProgramLogging(self._totals.meter)
        self._admin: Admin | None = None
        self._stopping = anyio.Event()
        self._started = time.time()
        self._last_reload: Applied | None = None
        self._is_upgrading = False
        self._upgrade_failed = ""
        #: A signal has asked for a reload that has not begun.
        self._reload_wanted = anyio.Event()
        self._listeners: dict[str, set[MemoryObjectSendStream[str]]] = {}

    # ---- from the start to the end

    async def run(self) -> None:
        """
        Serve until a signal comes, or `stop` is called.

        :raises CannotStart: if it cannot even start
        """
        failure: CannotStart | None = None
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            self._crew.begin(tasks)
            tasks.start_soon(self._heed_signals)
            try:
                await (self._start() if self._left is None else self._go_on(self._left))
            except CannotStart as error:
                failure = error
                await self._crew.kill()
            else:
                for service in (
                    self._crew.look_after, self._reload_when_told, self._follow, self._feed_watchdog, self._see_orphans_off,
                ):  # fmt: skip
                    tasks.start_soon(service)
                await self._stopping.wait()
                await self._end()
            tasks.cancel_scope.cancel()
        self._sockets.close()
        await anyio.to_thread.run_sync(self._log.close)
        if failure is not None and not self._stopping.is_set():
            raise failure

    async def _start(self) -> None:
        # What is wrong with the file is told before anything is started.
        understood = await self._understood(self._source)
        self._show(understood.problems)
        if understood.configuration is None:
            raise CannotStart(understood.reason)
        async with self._crew.changing:
            applied = await self._put_to_use(understood, source="start")
        told = set(understood.problems)
        self._show([problem for problem in applied.problems if problem not in told])
        if not applied.done:
            raise CannotStart(applied.reason)
        for unused in self._sockets.unused:
            log.warning("no site listens on %s, which was passed to us", unused.getsockname())
        await self._start_admin(self._crew.current)
        self._tell(f"listening on {', '.join(self._addresses)}")
        self._notifier.ready(self._summary)

    @property
    def _addresses(self) -> list[str]:
        """Where it listens, in the order of the sites."""
        return [str(address) for address in self._sockets.addresses(self._crew.current.keys)]

    @property
    def _summary(self) -> str:
        return f"{len(self._crew)} workers serve {', '.join(self._addresses)[:500]}"

    def stop(self) -> None:
        """Begin to stop gracefully."""
        self._stopping.set()

    async def _end(self) -> None:
        self._notifier.stopping()
        await self._crew.end()
        if self._admin is not None:  # last, so that it tells of the end, and `edge stop` waits for it
            await self._admin.stop()
        await self._reporting.close()

    # ---- signals and services

    async def _heed_signals(self) -> None:
        with anyio.open_signal_receiver(*SIGNALS) as signals:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # the program before may have blocked them
            async for number in signals:
                if number in (signal.SIGINT, signal.SIGTERM):
                    if self._stopping.is_set() or not self._crew.is_serving:
                        self._tasks.start_soon(self._crew.abort)
                    self.stop()
                elif not self._crew.is_serving:
                    continue
                elif number == signal.SIGHUP:
                    self._reload_wanted.set()
                elif number == signal.SIGUSR1:
                    self._reopen_logs()
                else:
                    self._tasks.start_soon(self._upgrade)

    async def _reload_when_told(self) -> None:
        """However many signals come during one reload, one more is what they ask for."""
        while True:
            await self._reload_wanted.wait()
            self._reload_wanted = anyio.Event()
            await self.apply(None, source="signal")

    def _reopen_logs(self) -> None:
        writer.reopen()
        for one in self._crew.children:
            one.send("reopen")

    async def _upgrade(self) -> None:
        try:
            await self.upgrade()
        except RuntimeError as error:
            log.error("the program was not replaced: %s", error)

    async def _follow(self) -> None:
        """Take over what has changed, with `--watch`."""
        while self._followed is not None:
            await self._follow_modules(self._followed)
            await anyio.sleep(INTERVAL)
            if self._followed.changed():
                await self.apply(None, source="watch")

    async def _follow_modules(self, followed: Followed) -> None:
        """Only a worker knows what handlers have imported."""
        for one in self._crew.all_serving()[:1]:
            for current in await self.ask("modules", {}, worker=one.number):
                followed.add_modules(current)

    async def _feed_watchdog(self) -> None:
        while self._notifier.watchdog is not None:
            self._notifier.send("WATCHDOG=1")
            await anyio.sleep(self._notifier.watchdog / 3)

    async def _see_orphans_off(self) -> None:
        """As the first process of a container: the children of handlers that have ended become ours, and are zombies then."""
        while os.getpid() == 1:
            await anyio.sleep(ORPHANED)
            see_orphans_off({one.pid for one in self._crew.children})

    # ---- configurations

    async def _understood(self, source: Source) -> Understood:
        read, find = (read_file, find_files) if (one := self._followed) is None else (one.read, one.find)
        return await anyio.to_thread.run_sync(
            lambda: understand(source, self._directory, workers=self._wanted, read=read, find=find)
        )

    async def _understood_again(self, bundle: Bundle) -> Understood:
        return await anyio.to_thread.run_sync(
            lambda: understand(
                bundle.source, bundle.directory, workers=self._wanted, read=bundle.read, find=bundle.find
            )
        )

    def _read_again(self) -> Source:
        """:raises OSError: if it cannot be read"""
        if self._source.name == "<stdin>":
            raise OSError("standard input cannot be read again")
        if self._followed is not None:
            self._followed = self._followed.again()
            self._followed.add(self._source.name)
        return Source.of_bytes(self._source.name, read_file(self._source.name))

    @asynccontextmanager
    async def _change(self) -> AsyncIterator[None]:
        """One change at a time, which goes on to its end, whatever becomes of those who asked for it."""
        async with self._crew.changing:
            with anyio.CancelScope(shield=True):
                yield

    async def apply(self, text: str | None, *, source: str) -> Applied:
        """Put a configuration to use in every worker, or in none; without a text, that of the file."""
        async with self._change():
            self._notifier.reloading()
            try:
                wanted = self._read_again() if text is None else Source(self._source.name, text)
            except OSError as error:
                return self._reloaded(Applied(False, (), (error.strerror or str(error)).lower()))
            return self._reloaded(await self._put_to_use(await self._understood(wanted), source=source))

    async def roll_back(self, number: int | None = None) -> Applied:
        """Put a configuration of the history to use again; the file stays as it is."""
        entry = self._history.find(number)
        async with self._change():
            self._notifier.reloading()
            understood = await self._understood_again(entry.bundle)
            return self._reloaded(await self._put_to_use(understood, source=f"rollback to {entry.number}"))

    def _reloaded(self, applied: Applied) -> Applied:
        self._last_reload = applied
        meter = self._totals.meter
        meter.counter(RELOADS, "ok" if applied.done else "failed").add()
        meter.gauge(LAST_RELOAD).set(applied.done)
        self._show(applied.problems)
        if applied.done:
            log.info("%s was taken over", self._source.name)
        else:
            because = f": {applied.reason}" if applied.reason else ""
            log.warning("%s was not taken over%s; the server goes on as it was", self._source.name, because)
        if not self._stopping.is_set():
            self._notifier.ready(self._summary)
        return applied

    async def _put_to_use(self, understood: Understood, *, source: str) -> Applied:
        """Have all workers prepare a configuration, and when all are ready, switch to it."""
        wanted = understood.configuration
        if wanted is None:
            return Applied(False, understood.problems, understood.reason)
        if self._stopping.is_set():
            return Applied(False, understood.problems, "the server is stopping")
        try:
            opened = self._sockets.open(wanted.keys, wanted.workers)
        except ListenError as error:
            return Applied(False, understood.problems, str(error))
        children: list[Child] = []
        try:
            children = self._crew.gather(wanted.workers)
            told = await self._crew.prepare(children, wanted.bundle, wanted.keys)
            await self._move_admin(wanted)
        except Exception as error:
            self._crew.give_up(children)
            self._sockets.undo(opened)
            if not isinstance(error, (NoAnswer, NotPrepared, ListenError, OSError)):
                log.exception("a configuration cannot be put to use")
            more = of_data(error.problems, _sources(understood)) if isinstance(error, NotPrepared) else []
            return Applied(False, in_order([*understood.problems, *more]), "" if more else str(error))
        await self._crew.switch(wanted, children)
        number = self._history.record(wanted.bundle, source=source)
        self._totals.meter.gauge(LAST_RELOAD_TIME).set(time.time())
        self._log.use(wanted.settings, wanted.bundle.directory)
        await self._reporting.use(wanted.settings[Metrics], self._tasks)
        return Applied(True, in_order([*understood.problems, *of_data(told, _sources(understood))]), "", number)

    # ---- the admin address

    async def _start_admin(self, wanted: Configuration, bound: int | None = None) -> None:
        made = Admin(self, wanted.settings[admin_setting.Admin], directory=self._directory)
        try:
            await made.start(self._tasks, bound=None if bound is None else taken_over(bound))
        except ListenError as error:
            raise CannotStart(str(error)) from None
        self._admin = made

    async def _move_admin(self, wanted: Configuration) -> None:
        """:raises ListenError: if a new address cannot be had; it stays where it was then"""
        if self._admin is not None:
            await self._admin.replace(wanted.settings[admin_setting.Admin])

    # ---- another program

    async def upgrade(self) -> str:
        """
        Replace the program by the one that is installed now, soon, and give its version.

        :raises RuntimeError: if it cannot be
        """
        if self._is_upgrading:
            raise RuntimeError("another version is just being tried")
        self._is_upgrading, self._upgrade_failed = True, ""
        try:
            version = await anyio.to_thread.run_sync(upgrade.tried, self._crew.current.bundle)
        except BaseException:
            self._is_upgrading = False
            raise
        self._tasks.start_soon(self._become, version)
        return version

    async def _become(self, version: str) -> None:
        await anyio.sleep(FAREWELL)
        async with self._crew.changing:
            if self._stopping.is_set():
                return
            log.info("version %s takes over from %s", version, __version__)
            self._notifier.reloading()
            with anyio.move_on_after(_FLUSHING):
                while any(one.channel.waiting for one in self._crew.children):  # noqa: ASYNC110
                    await anyio.sleep(0.01)
            try:
                bound = None if self._admin is None else self._admin.bound
                admin = None if bound is None else os.dup(bound.fileno())
            except OSError as error:
                self._fail_upgrade(error)
                return
            if self._admin is not None:
                await self._admin.stop(handed_over=True)
            try:
                self._hand_over(admin)
            except OSError as error:
                self._admin = None
                await self._start_admin(self._crew.current, admin)
                self._fail_upgrade(error)

    def _hand_over(self, admin: int | None) -> None:
        """
        Become the installed program. Nothing is awaited here, so that what is told is true until then.

        :param admin: the descriptor of the admin address
        :raises OSError: if it cannot be
        """
        counted = self._counted()
        state = {
            "bundle": self._crew.current.bundle.as_data(),
            "workers": self._crew.as_data(),
            "sockets": self._sockets.as_data(),
            "admin": admin,
            "shares": self._crew.shares,
            "counted": counted.descriptor,
            "started": self._started,
            "version": __version__,
        }
        descriptors = [*self._crew.descriptors, *self._sockets.descriptors, counted.descriptor]
        try:
            upgrade.become_installed(state, [*descriptors, *([] if admin is None else [admin])], SIGNALS)
        finally:
            counted.close()

    def _fail_upgrade(self, error: OSError) -> None:
        self._say_upgrade_failed(f"the program was not replaced: {error.strerror}")
        self._notifier.ready(self._summary)

    def _say_upgrade_failed(self, reason: str) -> None:
        self._is_upgrading = False
        self._upgrade_failed = reason
        log.error("%s", reason)

    def _counted(self) -> Segment:
        """What the workers that are gone have counted, and this process, where another program finds it."""
        made = Segment.create("supervisor")
        meter: Meter = meter_on(made.descriptor)
        meter.budget = self._totals.meter.budget
        for family in families(self._totals.meter.series(), "supervisor"):
            if family.metric.kind is not Kind.GAUGE:  # how things are, the next program sees for itself
                for series in family.series:
                    meter.add(series)
        return made

    async def _go_on(self, left: Mapping[str, Any]) -> None:
        """Take over from another program: its workers go on until those of this one serve."""
        self._started = left["started"]
        self._crew.shares = left.get("shares", {})
        counted = Segment("supervisor", left["counted"])
        os.set_inheritable(counted.descriptor, False)
        self._totals.add(counted)
        self._totals.retire(counted)
        counted.close()
        understood = await self._understood_again(Bundle.of_data(left["bundle"]))
        current = understood.configuration
        if current is None:  # it was tried a moment ago
            raise CannotStart(understood.reason or "the configuration in use is not understood any more")
        self._history.record(current.bundle, source="upgrade")
        async with self._crew.changing:
            old = self._crew.adopt(left["workers"], current)
            await self._start_admin(current, left["admin"])
            self._log.use(current.settings, current.bundle.directory)
            await self._reporting.use(current.settings[Metrics], self._tasks)
            self._sockets.open(current.keys, current.workers)
            try:
                await self._crew.renew(old)
            except (NoAnswer, NotPrepared, OSError) as error:
                self._say_upgrade_failed(
                    f"workers of version {__version__} cannot serve, those of {left['version']} go on: {error}"
                )
            else:
                log.info("version %s has taken over, listening on %s", __version__, ", ".join(self._addresses))
            # The old program may not have come to closing those of workers that it was just letting go.
            self._sockets.keep_only(current.keys, current.workers)
        self._notifier.ready(self._summary)

    # ---- what workers tell

    def _heard(self, one: Child, message: Message) -> None:
        if message.type == "line":
            self._pass_on(message.fields)
        elif message.type == "metrics":
            kind, text = expose(self._totals.families(), str(message.fields.get("accept")))
            one.send("metrics", number=message.fields.get("number"), kind=kind, text=text.decode())
        message.close()

    def _pass_on(self, fields: Mapping[str, Any]) -> None:
        for listener in self._listeners.get(str(fields.get("topic")), ()):
            with contextlib.suppress(anyio.WouldBlock):  # whoever is too slow sees gaps
                listener.send_nowait(str(fields.get("line")))

    def _tell_topics(self, *children: Child) -> None:
        for one in children or self._crew.children:
            for topic, listeners in self._listeners.items():
                one.send("listen", topic=topic, wanted=bool(listeners))

    # ---- what may be asked

    def status(self) -> Status:
        return Status(
            version=__version__,
            pid=os.getpid(),
            started=self._started,
            addresses=self._addresses,
            workers=self._crew.statuses(),
            ready=self._crew.is_complete and not self._stopping.is_set(),
            config=_past(self._history.entries[-1]),  # what is put to use is the last of it
            last_reload=self._last_reload,
            upgrade_failed=self._upgrade_failed,
        )

    def history(self) -> Sequence[Past]:
        return [_past(entry) for entry in reversed(self._history.entries)]

    async def check(self, text: str) -> Applied:
        """What would be wrong with a text in place of the Edgefile; nothing is set up."""
        source = Source(self._source.name, text)
        understood = await anyio.to_thread.run_sync(lambda: understand(source, self._directory))
        return Applied(False, understood.problems, understood.reason)

    async def ask(self, question: str, arguments: Mapping[str, Any], *, worker: int | None = None) -> list[Any]:
        """What the workers answer to a question; those that do not answer in time are left out."""
        if question not in QUESTIONS:
            raise LookupError(f"there is no question {question}")
        asked = self._crew.all_serving()
        if worker is not None:
            asked = [one for one in asked if one.number == worker]
            if not asked:
                raise LookupError(f"there is no worker {worker}")
        answers: dict[int, Any] = {}

        async def ask_one(one: Child) -> None:
            try:
                found = await one.request("ask", patience=ANSWERING, question=question, arguments=dict(arguments))
            except NoAnswer as error:
                log.debug("a question about %s is not answered: %s", question, error)
                return
            if "value" in found:
                answers[one.number] = found["value"]

        async with anyio.create_task_group() as asking:
            for one in asked:
                asking.start_soon(ask_one, one)
        return [answers[number] for number in sorted(answers)]

    @property
    def shares(self) -> Mapping[str, Mapping[str, Any]]:
        """The servers behind that get another share of new requests than the Edgefile says."""
        return self._crew.shares

    async def share(self, shares: Mapping[str, Mapping[str, Any]]) -> None:
        """Have all workers go by these shares, and each that will be started."""
        async with self._crew.changing:  # no worker is being prepared with the old ones
            self._crew.shares = dict(shares)
            await self.ask("share", {"shares": self._crew.shares})

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

    def metrics(self) -> Sequence[Family]:
        """The sums of all workers' metrics."""
        return self._totals.families()


def _sources(understood: Understood) -> Callable[[str], Source]:
    return lambda name: understood.sources.get(name) or Source(name, "")


def _past(entry: Entry) -> Past:
    return Past(entry.number, entry.when, entry.source, entry.bundle.name, entry.bundle.text)
