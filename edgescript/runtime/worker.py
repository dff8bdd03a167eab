"""
One worker: a process that serves, and does what the supervisor says.

    prepare {bundle, sockets} ──▶ compiled, started: prepared {ok, problems, reason}
    commit                    ──▶ new requests are answered by it: committed
    abandon                   ──▶ it is put away, and nothing has changed

When the channel ends, the supervisor is gone, and the worker stops gracefully.
"""

from __future__ import annotations

import gc
import importlib.util
import itertools
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import anyio
import anyio.abc
import anyio.to_thread

from edgescript.catalog import Catalogue
from edgescript.graph.load import load
from edgescript.graph.model import Graph
from edgescript.graph.shared import Shared
from edgescript.http.splice import PIPES
from edgescript.metric import Meter
from edgescript.observe import writer
from edgescript.observe.segments import meter_on
from edgescript.runtime.asked import put_shares
from edgescript.runtime.bundle import Bundle, read_memory
from edgescript.runtime.compose import Key, Prepared, Server
from edgescript.runtime.control import Channel, ChannelLost, Garbage, Message
from edgescript.runtime.engines import Engine
from edgescript.runtime.loading import compiled
from edgescript.runtime.problems import as_data
from edgescript.runtime.program_log import ProgramLogging
from edgescript.runtime.questions import QUESTIONS, TOPICS
from edgescript.server.listen import ListenError
from edgescript.text.problem import Problem, StartFailed

log = logging.getLogger("edgescript.runtime")

#: Seconds between two signs of life.
BEAT = 0.5
#: Seconds that a client has, at a stop, to send its next request on a connection that is open.
LAST_CALL = 1.0
#: Seconds that the supervisor may take to add up the metrics.
_PATIENCE = 10.0
#: Bytes of lines that may wait for the supervisor to read them; lines that come on top are not told.
_MOST_LINES = 1024 * 1024


class Asked:
    """Somebody who waits for the metrics of all workers."""

    _numbers = itertools.count(1)

    def __init__(self) -> None:
        self.number = next(self._numbers)
        self.kind = ""
        self.text = b""
        self.answered = anyio.Event()


class Worker:
    """The worker of this process."""

    def __init__(self, number: int, channel: Channel, engine: Engine, meter: Meter) -> None:
        self._channel = channel
        self._engine = engine
        self._shared = Shared(meter)
        self._log = ProgramLogging(meter, worker=number)
        self._directory = "."
        meter.exposition = self._metrics
        #: Who waits for metrics, by number.
        self._asked: dict[int, Asked] = {}
        self._prepared: Prepared | None = None
        #: Where it listens.
        self._keys: set[Key] = set()
        self._next_keys: set[Key] = set()
        self._stopping = anyio.Event()
        self._aborted = False
        #: By topic: what ends the telling.
        self._topics: dict[str, Callable[[], None]] = {}
        self._orders = {
            "prepare": self._prepare,
            "commit": self._commit,
            "abandon": self._abandon,
            "ask": self._ask,
            "listen": self._listen,
            "metrics": self._take_metrics,
            "reopen": self._reopen,
            "stop": self._stop,
            "abort": self._abort,
        }

    async def run(self) -> None:
        """Serve until the supervisor says to stop, or is gone."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            self._server = Server(tasks, engine=self._engine, port=None, clock=time.monotonic, owned=False)
            tasks.start_soon(self._beat)
            tasks.start_soon(self._heed_signals)
            tasks.start_soon(self._obey)
            await self._stopping.wait()
            with anyio.CancelScope(shield=True):
                if self._prepared is not None:
                    await self._server.abandon(self._prepared)
                if self._keys:
                    if not self._aborted:
                        await self._server.last_call(LAST_CALL)
                    await self._server.stop()
                    await self._server.close()
                PIPES.close()
                await anyio.to_thread.run_sync(self._log.close)
            tasks.cancel_scope.cancel()

    async def _obey(self) -> None:
        try:
            while (message := await self._channel.receive()) is not None:
                order = self._orders.get(message.type)
                if order is None:
                    # Of a supervisor that is newer than this worker.
                    log.warning("a worker was told to %s, which it does not know", message.type)
                    message.close()
                else:
                    self._tasks.start_soon(order, message)
        except Garbage as error:
            log.error("the supervisor said what makes no sense: %s", error)
        self._stopping.set()

    def _tell(self, kind: str, /, **fields: Any) -> None:
        try:
            self._channel.send(kind, **fields)
        except ChannelLost:
            self._stopping.set()

    async def _beat(self) -> None:
        while True:
            self._tell("beat")
            await anyio.sleep(BEAT)

    async def _heed_signals(self) -> None:
        """SIGTERM alone is for a single worker, which stops gracefully then; the rest is the supervisor's."""
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGUSR1) as signals:
            async for number in signals:
                if number == signal.SIGUSR1:
                    writer.reopen()
                else:
                    self._tell("leaving")
                    await self._linger()
                    self._stopping.set()

    async def _linger(self) -> None:
        """Time for the supervisor to have new connections go to others."""
        await anyio.sleep(BEAT)

    # From one configuration to the next

    async def _prepare(self, message: Message) -> None:
        await self._abandon(message)
        memory, *descriptors = message.descriptors
        sockets = {
            (host, port): socket.socket(fileno=descriptor)
            for (host, port), descriptor in zip(message.fields["keys"], descriptors, strict=True)
        }
        self._next_keys = set(sockets)
        for key in self._keys & self._next_keys:
            sockets.pop(key).close()  # it has that one
        problems: list[Problem] = []
        reason = ""
        try:
            graph, problems = await compiled(lambda: self._graph(memory), self._shared)
            if graph is not None:
                put_shares(graph, message.fields["shares"])
                given, sockets = sockets, {}  # whatever becomes of it, these are the server's now
                self._prepared = await self._server.prepare(graph, given)
        except ListenError as error:
            reason = str(error)
        except StartFailed as failed:
            problems = [*problems, failed.problem]
        except Exception as error:
            log.exception("the configuration cannot be started")
            reason = f"{type(error).__name__}: {error}"
        finally:
            os.close(memory)
            for unused in sockets.values():
                unused.close()
        self._tell(
            "prepared",
            id=message.fields["id"],
            ok=self._prepared is not None,
            problems=as_data(problems),
            reason=reason,
        )

    def _graph(self, memory: int) -> tuple[Graph | None, list[Problem]]:
        bundle = Bundle.of_data(read_memory(memory))
        self._directory = bundle.directory
        return load(
            bundle.source,
            catalogue=Catalogue.load(),
            environment=os.environ,
            directory=bundle.directory,
            read=bundle.read,
            find=bundle.find,
            clock=time.monotonic,
            shared=self._shared,
        )

    async def _commit(self, message: Message) -> None:
        prepared, self._prepared = self._prepared, None
        if prepared is None:
            return
        is_first = not self._keys
        await self._server.commit(prepared)
        self._keys = self._next_keys
        self._log.use(prepared.graph.settings, self._directory)
        self._tell("committed", id=message.fields["id"])
        if is_first:
            # What is loaded stays: later collections need not look at it. 10,000 sites are a million objects.
            gc.collect()
            gc.freeze()

    async def _abandon(self, message: Message) -> None:
        prepared, self._prepared = self._prepared, None
        if prepared is not None:
            await self._server.abandon(prepared)

    # Questions

    async def _ask(self, message: Message) -> None:
        question = QUESTIONS.get(message.fields["question"])
        arguments = cast("Mapping[str, Any]", message.fields["arguments"])
        answer: dict[str, Any]
        try:
            if question is None:
                answer = {"error": "there is no such question"}
            else:
                answer = {"value": await question(self._server, arguments)}
        except Exception as error:
            log.exception("a question about %s cannot be answered", message.fields["question"])
            answer = {"error": f"{type(error).__name__}: {error}"}
        self._tell("answer", id=message.fields["id"], **answer)

    async def _listen(self, message: Message) -> None:
        topic, wanted = message.fields["topic"], message.fields["wanted"]
        if wanted and topic in TOPICS and topic not in self._topics:
            loop = _loop()

            def tell(line: str) -> None:
                loop.call_soon_threadsafe(self._tell_line, topic, line)

            self._topics[topic] = TOPICS[topic](tell)
        elif not wanted and topic in self._topics:
            self._topics.pop(topic)()

    def _tell_line(self, topic: str, line: str) -> None:
        if self._channel.waiting < _MOST_LINES:
            self._tell("line", topic=topic, line=line)

    # Metrics of all workers, for those who ask one

    async def _metrics(self, accept: str) -> tuple[str, bytes]:
        asked = Asked()
        self._asked[asked.number] = asked
        try:
            self._tell("metrics", number=asked.number, accept=accept)
            with anyio.fail_after(_PATIENCE):
                await asked.answered.wait()
        finally:
            del self._asked[asked.number]
        return asked.kind, asked.text

    async def _take_metrics(self, message: Message) -> None:
        asked = self._asked.get(message.fields["number"])
        if asked is not None:
            asked.kind, asked.text = message.fields["kind"], message.fields["text"].encode()
            asked.answered.set()

    # The end

    async def _reopen(self, message: Message) -> None:
        writer.reopen()

    async def _stop(self, message: Message) -> None:
        self._stopping.set()

    async def _abort(self, message: Message) -> None:
        self._aborted = True
        self._stopping.set()
        self._server.abort()


def _loop() -> Any:
    import asyncio

    return asyncio.get_running_loop()


def main() -> None:
    number, engine, descriptor, segment = sys.argv[1:]
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR2):
        signal.signal(ignored, signal.SIG_IGN)
    logging.basicConfig(level=logging.WARNING, format="edge: %(message)s", stream=sys.stderr)
    options = {"use_uvloop": importlib.util.find_spec("uvloop") is not None}

    async def run() -> None:
        meter = meter_on(int(segment))
        os.close(int(segment))
        channel = Channel(socket.socket(fileno=int(descriptor)))
        await Worker(int(number), channel, cast("Engine", engine), meter).run()

    code = 0
    try:
        anyio.run(run, backend_options=options)
    except BaseException:
        log.exception("worker %s ended because of an error", number)
        code = 1
    # At once: a thread of somebody's Python that never ends must not keep the process.
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
