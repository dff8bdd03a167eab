"""
The workers: started, spoken to, kept alive and replaced.

A worker has a place, and so a number and sockets; one process after the other takes it. What changes who is in which place,
or what they serve, holds `changing`, so that there is one change at a time.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.abc

from edgescript.admin.operator import WorkerStatus
from edgescript.observe.segments import Totals
from edgescript.observe.supervision import RESTARTS, WORKERS
from edgescript.runtime import child as states
from edgescript.runtime.bundle import Bundle, in_memory
from edgescript.runtime.child import HEALTHY, Child, NoAnswer, pause
from edgescript.runtime.configuration import Configuration
from edgescript.runtime.control import Message
from edgescript.runtime.engines import Engine
from edgescript.runtime.sockets import Key, Sockets

log = logging.getLogger("edgescript.runtime")

#: Seconds that a worker may take to prepare a configuration: modules of users are imported then.
PREPARING = 60.0
#: Seconds that it may take to switch to one that it has prepared.
SWITCHING = 10.0
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


class NotPrepared(Exception):
    """A worker cannot prepare a configuration, because of `problems` (as JSON has them) or for the reason in the message."""

    def __init__(self, problems: Sequence[Mapping[str, Any]], reason: str) -> None:
        super().__init__(reason or "; ".join(str(problem.get("message")) for problem in problems[:3]))
        self.problems = problems


@dataclass(slots=True)
class _Place:
    """The place of one worker."""

    number: int
    child: Child | None = None
    #: How often a process was started anew in it, and why the last time.
    restarts: int = 0
    reason: str = ""
    #: How often in a row one ended without having been healthy.
    failures: int = 0
    since: float = field(default_factory=time.time)


class Crew:
    """
    All workers.

    :param heard: gets what workers tell that is not about themselves
    """

    def __init__(
        self,
        sockets: Sockets,
        engine: Engine,
        totals: Totals,
        *,
        heard: Callable[[Child, Message], None],
    ) -> None:
        self._sockets = sockets
        #: The servers behind that get another share of requests than the Edgefile says; each new worker is told of them.
        self.shares: dict[str, Mapping[str, Any]] = {}
        self._engine = engine
        self._totals = totals
        self._told = heard
        self._current: Configuration | None = None
        self._places: dict[int, _Place] = {}
        #: Every process, those that are to end as well.
        self.children: set[Child] = set()
        #: Where new connections go.
        self._able: frozenset[int] = frozenset()
        self._ending = False
        self.changing = anyio.Lock()

    def __len__(self) -> int:
        return len(self._places)

    @property
    def is_serving(self) -> bool:
        """There is a configuration in use."""
        return self._current is not None

    @property
    def current(self) -> Configuration:
        """The configuration that is in use."""
        assert self._current is not None, "nobody asks before the start"
        return self._current

    def begin(self, tasks: anyio.abc.TaskGroup) -> None:
        """:param tasks: for what goes on as long as there are workers"""
        self._tasks = tasks

    # ---- processes

    def _spawn(self, number: int) -> Child:
        """:raises OSError: if no process can be started"""
        one = Child.start(number, self._engine)
        self._attend(one)
        return one

    def _attend(self, one: Child) -> None:
        self._totals.add(one.segment)
        self.children.add(one)
        self._tasks.start_soon(self._see_to, one)

    async def _see_to(self, one: Child) -> None:
        await one.attend(self._heard)
        self.children.discard(one)
        self._totals.retire(one.segment)
        one.segment.close()
        place = self._places.get(one.number)
        if place is not None and place.child is one:
            self._lost(place, one)
        self.count()

    def _heard(self, one: Child, message: Message) -> None:
        if message.type == "leaving":
            one.become(states.DRAINING)
            self._steer()
        else:
            self._told(one, message)

    def serving(self, number: int) -> Child | None:
        """The worker in a place, if it is one that can be asked."""
        place = self._places.get(number)
        return place.child if place is not None and _is_ready(place.child) else None

    def all_serving(self) -> list[Child]:
        return [one for number in sorted(self._places) if (one := self.serving(number))]

    def gather(self, workers: int) -> list[Child]:
        """
        One worker for each place: those that serve, and where there is none, a new process.

        :raises OSError: if no process can be started
        """
        found: list[Child] = []
        try:
            for number in range(workers):
                found.append(self.serving(number) or self._spawn(number))  # noqa: PERF401  # given up if one fails
        except OSError:
            self.give_up(found)
            raise
        return found

    # ---- losing and replacing

    def _lost(self, place: _Place, one: Child) -> None:
        """A worker has ended that should serve."""
        place.child = None
        place.reason, place.since = one.reason, one.since
        self._steer()
        if self._ending:
            return
        self._totals.meter.counter(RESTARTS, "unresponsive" if one.was_silent else "died").add()
        was_healthy = one.ready_since is not None and time.monotonic() - one.ready_since >= HEALTHY
        place.failures = 1 if was_healthy else place.failures + 1
        self._again(place, f"{one} {one.reason}")

    def _again(self, place: _Place, what: str) -> None:
        """Start a worker anew; at once, the first time."""
        delay = pause(place.failures)
        when = "" if delay == 0 else f" in {delay:g} s"
        log.warning("%s; it is started anew%s", what, when)
        self._tasks.start_soon(self._restart, place, delay)

    async def _restart(self, place: _Place, delay: float) -> None:
        await anyio.sleep(delay)
        async with self.changing:
            if place.child is not None or self._places.get(place.number) is not place or self._ending:
                return  # a reload has started one meanwhile, or there is to be none
            place.restarts += 1
            one: Child | None = None
            try:
                one = self._spawn(place.number)
                await self.prepare([one], self.current.bundle, self.current.keys)
            except (NoAnswer, NotPrepared, OSError) as error:
                if one is not None:
                    one.kill("is not needed")
                place.failures += 1
                place.reason, place.since = str(error), time.time()
                self._again(place, f"worker {place.number} cannot be started: {error}")
            else:
                await self._take_place([one])

    async def look_after(self) -> None:
        """Replace workers that do not answer; those that are silent for a moment get no new connections."""
        looked = time.monotonic()
        while True:
            await anyio.sleep(LOOK)
            now = time.monotonic()
            late = now - looked - LOOK  # when this process itself had no time, it could hear nobody
            looked = now
            for one in tuple(self.children):
                one.heard += late if late > LOOK else 0.0
                if one.speaks and now - one.heard > self.current.unresponsive:
                    one.kill_silent(self.current.unresponsive)
            self._steer()

    def _steer(self) -> None:
        """Have new connections go to the workers that can take them."""
        now = time.monotonic()
        able = frozenset(one.number for one in self.all_serving() if now - one.heard < QUIET)
        if able != self._able:
            self._able = able
            self._sockets.steer(able)
        self.count()

    # ---- from one configuration to the next

    async def prepare(
        self, children: Iterable[Child], bundle: Bundle, keys: Sequence[Key]
    ) -> Sequence[Mapping[str, Any]]:
        """
        Have workers prepare a configuration, which changes nothing, and give the problems that they found.

        :raises NoAnswer: if one has ended, or takes too long; it is killed then
        :raises NotPrepared: if one cannot
        :raises OSError: if they cannot be told, because too many descriptors are open
        """
        memory = in_memory("edgefile", bundle.as_data())
        answers: list[Mapping[str, Any]] = []
        failures: list[NoAnswer | OSError] = []

        async def ask(one: Child) -> None:
            descriptors = [memory, *(made.fileno() for made in self._sockets.of(one.number, keys))]
            try:
                fields = {"keys": list(keys), "shares": self.shares}
                answers.append(await one.request("prepare", descriptors, patience=PREPARING, **fields))
            except NoAnswer as error:
                one.kill("took too long to prepare a configuration")
                failures.append(error)
            except OSError as error:
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
                raise NotPrepared(answer["problems"], answer["reason"])
        return answers[0]["problems"] if answers else []

    def give_up(self, children: Iterable[Child]) -> None:
        """Nothing is to change: workers that serve forget what they have prepared, new ones are not needed."""
        for one in children:
            if one.state == states.READY:
                one.send("abandon")
            else:
                one.leaving = True
                one.kill("is not needed")

    async def switch(self, wanted: Configuration, children: Sequence[Child]) -> None:
        """All are ready. What fails from here on is the failure of a worker, which is replaced."""
        removed = [key for key in self._current.keys if key not in wanted.keys] if self._current is not None else []
        if removed:
            self._sockets.turn_away(removed)
            await self._empty(self._places)
        self._current = wanted
        await self._take_place(children)
        leaving = [self._places.pop(number) for number in tuple(self._places) if number >= wanted.workers]
        most = max([wanted.workers, *(place.number + 1 for place in leaving)])
        self._sockets.keep_only(wanted.keys, most)
        self._steer()
        if leaving:
            self._tasks.start_soon(self._let_go, [place.child for place in leaving if place.child is not None])

    async def _take_place(self, children: Iterable[Child]) -> None:
        """Put workers that have prepared a configuration into their places, and have them serve it."""
        for one in children:
            self._places.setdefault(one.number, _Place(one.number)).child = one

        async def commit(one: Child) -> None:
            try:
                await one.request("commit", patience=SWITCHING)
            except NoAnswer:
                one.kill("did not switch to a configuration that it had prepared")
            else:
                if one.state == states.STARTING:
                    one.become(states.READY)
                    self.on_ready(one)
            place = self._places[one.number]
            if one.gone.is_set() and place.child is one:
                self._lost(place, one)  # it had ended before it was in its place

        async with anyio.create_task_group() as switching:
            for each in children:
                switching.start_soon(commit, each)
        self._steer()

    #: Called with each worker that begins to serve.
    on_ready: Callable[[Child], object] = staticmethod(lambda one: None)

    async def _let_go(self, children: Sequence[Child]) -> None:
        """Workers are not needed any more. New connections go to others by now; these accept what is queued, and end."""
        for one in children:
            one.leaving = True
        await self._empty({one.number for one in children})
        await self._end_all(children)
        async with self.changing:  # by now another change may have filled the places again
            self._sockets.keep_only(self.current.keys, self.current.workers)

    async def _empty(self, numbers: Collection[int]) -> None:
        """Wait until the queues of some workers are empty, to which no new connections come."""
        since = time.monotonic()
        with anyio.move_on_after(EMPTYING):
            while self._sockets.queued(numbers) or time.monotonic() - since < HANDSHAKE:  # noqa: ASYNC110
                await anyio.sleep(0.01)

    # ---- another program

    def as_data(self) -> list[dict[str, Any]]:
        """Of every process, for `adopt` in the program that this process becomes."""
        return [
            {**one.as_data(), **_counts(self._places.get(one.number))} for one in self.children if not one.gone.is_set()
        ]

    @property
    def descriptors(self) -> list[int]:
        """Of all that `as_data` names."""
        return [descriptor for one in self.children for descriptor in one.descriptors]

    def adopt(self, data: Iterable[Mapping[str, Any]], current: Configuration) -> list[Child]:
        """Go on with the workers of the program that this process was; gives those that serve."""
        self._current = current
        serving = []
        for each in data:
            one = Child.of_data(each)
            self._attend(one)
            if _is_ready(one):
                serving.append(one)
                self._places[one.number] = _Place(one.number, one, each["restarts"], each["reason"])
            else:
                self._tasks.start_soon(self._end_one, one)
        for number in range(current.workers):
            self._places.setdefault(number, _Place(number))
        self._steer()
        return serving

    async def renew(self, old: Sequence[Child]) -> None:
        """
        Put workers of this program into the places of others, which end then.

        :raises Exception: NoAnswer, NotPrepared or OSError, if they cannot serve; the others go on then
        """
        children: list[Child] = []
        try:
            for number in self._places:
                children.append(self._spawn(number))  # noqa: PERF401  # what was started is given up if the next cannot be
            await self.prepare(children, self.current.bundle, self.current.keys)
        except BaseException:
            self.give_up(children)
            raise
        await self._take_place(children)
        for one in old:
            self._tasks.start_soon(self._end_one, one)

    # ---- the end

    async def end(self) -> None:
        """Let every worker finish what is in flight; first what is queued is accepted, and nothing new begins."""
        self._ending = True
        self._sockets.turn_away(self.current.keys)
        await self._empty({one.number for one in self.all_serving()})
        self._tasks.start_soon(self._close_sockets)
        await self._end_all(tuple(self.children))

    async def _close_sockets(self) -> None:
        """When the workers have been told, so that nobody listens any more while they finish."""
        self._sockets.close()

    async def _end_all(self, children: Iterable[Child]) -> None:
        async with anyio.create_task_group() as ending:
            for each in children:
                ending.start_soon(self._end_one, each)

    async def _end_one(self, one: Child) -> None:
        """Have a worker stop gracefully, but not for ever."""
        one.leaving = True
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

    async def abort(self) -> None:
        """Cut off whatever is in flight."""
        self._ending = True
        async with anyio.create_task_group() as ending:
            for each in tuple(self.children):
                ending.start_soon(self._abort_one, each)

    async def kill(self) -> None:
        """End all of them at once."""
        self._ending = True
        for each in tuple(self.children):
            each.kill("is not needed")
        for each in tuple(self.children):
            await each.gone.wait()

    # ---- what may be asked

    def statuses(self) -> list[WorkerStatus]:
        return [_status(self._places[number]) for number in sorted(self._places)]

    @property
    def is_complete(self) -> bool:
        """Every place has a worker that serves."""
        return len(self._places) == self.current.workers == len(self.all_serving()) and not self._ending

    def count(self) -> None:
        """Note how many workers there are in which state."""
        for state in (states.STARTING, states.READY, states.DRAINING):
            count = sum(one.state == state for one in self.children)
            self._totals.meter.gauge(WORKERS, state).set(count)


def _is_ready(one: Child | None) -> bool:
    return one is not None and one.state == states.READY and not one.leaving


def _status(place: _Place) -> WorkerStatus:
    one = place.child
    state, since, pid = (states.DEAD, place.since, 0) if one is None else (one.state, one.since, one.pid)
    return WorkerStatus(place.number, pid, state, since, place.restarts, place.reason)


def _counts(place: _Place | None) -> dict[str, Any]:
    return {"restarts": place.restarts if place else 0, "reason": place.reason if place else ""}
