"""A Redis that goes away under load and comes back: quick failures, no hanging, no leak, and it heals by itself."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.crc import key_slot

from edgescript.storage.base import StorageError
from edgescript.storage.redis import MOST_CONNECTIONS, PATIENCE, Options, Redis
from edgescript.storage.url import parse
from edgescript.text.secret import Secret
from tests.storage import servers

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(servers.SERVER is None, reason="redis-server is not installed")]

#: Seconds on top of what is promised, for a machine that is slow and has other things to do.
SLACK = 3.0


class Load:
    """Many who use a store at once, one operation after the other; how each ended, and the longest time one took."""

    def __init__(self, store: Redis, count: int = 40) -> None:
        self._store = store
        self.good = 0
        self.bad = 0
        self.slowest = 0.0
        #: The keys that an operation failed for.
        self.failed: set[str] = set()
        self._ended = asyncio.Event()
        self._tasks = [asyncio.create_task(self._use(f"key:{number}")) for number in range(count)]

    async def _use(self, key: str) -> None:
        while True:
            began = time.monotonic()
            try:
                await self._store.increment(key, ttl=60)
                self.good += 1
            except StorageError:
                self.bad += 1
                self.failed.add(key)
            self.slowest = max(self.slowest, time.monotonic() - began)
            self._ended.set()
            await asyncio.sleep(0.005)

    async def some(self, kind: str, count: int) -> None:
        """Wait until so many more were good, or bad."""
        until = getattr(self, kind) + count
        async with asyncio.timeout(30):
            while getattr(self, kind) < until:
                self._ended.clear()
                await self._ended.wait()

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        for result in await asyncio.gather(*self._tasks, return_exceptions=True):
            assert isinstance(result, asyncio.CancelledError), result


@pytest.fixture
def server(tmp_path: Path) -> Iterator[servers.Server]:
    made = servers.Server(tmp_path, servers.free_ports(1)[0], ["--requirepass", servers.PASSWORD], servers.PASSWORD)
    with servers.running(made):
        yield made


@pytest.fixture
async def store(server: servers.Server) -> AsyncIterator[Redis]:
    made = Redis(parse(f"redis://127.0.0.1:{server.port}"), Options(password=Secret(servers.PASSWORD)))
    yield made
    await made.close()


def connections(server: servers.Server) -> int:
    """How many there are beside the one that asks."""
    return server.ask("CLIENT", "LIST").count(" cmd=") - 1


@pytest.mark.parametrize("how", ["killed", "stopped"])
async def test_while_it_is_away_everything_fails_soon_and_when_it_is_back_all_is_well(
    how: str, server: servers.Server, store: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    load = Load(store)
    await load.some("good", 200)
    assert load.bad == 0
    if how == "killed":
        server.kill()
    else:
        server.signal(signal.SIGSTOP)
    await load.some("bad", 200)
    good = load.good
    await load.some("bad", 400)
    assert load.good == good
    if how == "killed":
        await asyncio.to_thread(server.start)
    else:
        server.signal(signal.SIGCONT)
    await load.some("good", 500)
    bad = load.bad
    async with asyncio.timeout(30):
        while store._health.is_down:
            await load.some("good", 100)
    assert load.bad == bad
    await load.end()
    assert load.slowest < PATIENCE + SLACK
    assert 1 <= connections(server) <= MOST_CONNECTIONS
    assert store._health.errors == load.bad
    said = [(record.levelno, record.getMessage()) for record in caplog.records if record.name == "edgescript.storage"]
    assert [level for level, _ in said] == [logging.ERROR, logging.WARNING]
    assert "fails" in said[0][1]
    assert "works again" in said[1][1]


async def test_when_it_is_away_an_operation_fails_at_once_but_for_one_that_looks_for_it(
    server: servers.Server, store: Redis
) -> None:
    await store.set("a", b"1")
    server.signal(signal.SIGSTOP)
    with pytest.raises(StorageError, match="no answer in time"):
        await store.get("a")
    with pytest.raises(StorageError, match="away a moment ago"):
        await store.get("a")
    server.signal(signal.SIGCONT)
    async with asyncio.timeout(30):
        while True:
            try:
                assert await store.get("a") == b"1"
                break
            except StorageError:
                await asyncio.sleep(0.01)


async def test_what_was_done_under_a_lock_stands_when_the_server_goes_meanwhile(
    server: servers.Server, store: Redis
) -> None:
    async with store.lock("a", ttl=60, wait=0) as got:
        server.kill()
    assert got
    assert store._health.is_down


async def test_those_who_are_cancelled_leave_no_connection_behind_and_no_answer_for_others(
    server: servers.Server, store: Redis
) -> None:
    for number in range(50):
        await store.set(f"{number}", b"%d" % number)
    for turn in range(20):
        tasks = [asyncio.create_task(store.get(f"{number}")) for number in range(50)]
        await asyncio.sleep(0.0005 * turn)
        for task in tasks[::2]:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for number, result in enumerate(results):
            assert result == b"%d" % number or isinstance(result, asyncio.CancelledError)
    for number in range(50):
        assert await store.get(f"{number}") == b"%d" % number
    assert 1 <= connections(server) <= MOST_CONNECTIONS


async def test_a_server_that_is_full_says_so_and_takes_reads(server: servers.Server, store: Redis) -> None:
    await store.set("a", b"1")
    server.ask("CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(StorageError, match="it is full"):
        await store.set("b", b"1")
    assert await store.get("a") == b"1"
    server.ask("CONFIG", "SET", "maxmemory", "0")
    await store.set("b", b"1")


async def test_a_wrong_password_is_an_error_that_does_not_say_it(
    server: servers.Server, caplog: pytest.LogCaptureFixture
) -> None:
    url = parse(f"redis://someone:s3cr3t-in-url@127.0.0.1:{server.port}/0")
    store = Redis(url, Options(sentinel_password=Secret("s3cr3t-too")))
    with pytest.raises(StorageError, match="password is refused") as failure:
        await store.get("a")
    said = f"{failure.value} {failure.value!r} {store!r} {url} {url!r} {store._options!r} {caplog.text}"
    assert "s3cr3t" not in said
    assert failure.value.__cause__ is None
    assert "someone:***@127.0.0.1" in said
    await store.close()


async def test_what_is_no_redis_is_an_error(unused_answer: int) -> None:
    store = Redis(parse(f"redis://127.0.0.1:{unused_answer}"))
    with pytest.raises(StorageError):
        await store.get("a")
    await store.close()


@pytest.fixture
async def unused_answer() -> AsyncIterator[int]:
    """The port of something that talks HTTP."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    found = await asyncio.start_server(talk, "127.0.0.1", 0)
    yield found.sockets[0].getsockname()[1]
    found.close()
    await found.wait_closed()


async def test_a_server_with_another_certificate_is_not_believed(single: servers.Server, tmp_path: Path) -> None:
    other = servers.make_certificates(tmp_path)
    files = single.certificates
    password = Secret(servers.PASSWORD)
    url = parse(f"rediss://localhost:{single.tls_port}")
    for options in (
        Options(password=password, ca=other["ca"], certificate=files["client"], key=files["client-key"]),
        Options(password=password, certificate=files["client"], key=files["client-key"]),
        Options(password=password, ca=files["ca"], certificate=other["client"], key=other["client-key"]),
        Options(password=password, ca=files["ca"]),
        Options(password=password, ca=str(tmp_path / "missing.pem")),
        Options(password=password, ca=files["client-key"]),
    ):
        store = Redis(url, options)
        with pytest.raises(StorageError):
            await store.get("a")
        await store.close()
    wrong_name = Redis(
        parse(f"rediss://127.0.0.1:{single.tls_port}"),
        Options(password=password, ca=files["ca"], certificate=files["client"], key=files["client-key"]),
    )
    with pytest.raises(StorageError):
        await wrong_name.get("a")
    await wrong_name.close()


async def test_a_user_may_do_what_he_may_and_the_rest_is_an_error(single: servers.Server) -> None:
    url = parse(f"redis://{servers.USER}:{servers.USERS_PASSWORD}@127.0.0.1:{single.port}")
    store = Redis(url, Options(prefix="other:"))
    with pytest.raises(StorageError, match="may not do this"):
        await store.get("a")
    await store.close()


async def test_when_the_master_dies_the_sentinel_says_which_one_is_next(tmp_path: Path) -> None:
    with servers.sentinel(tmp_path) as watched:
        url = parse(f"redis+sentinel://127.0.0.1:{watched.sentinel.port}/mymaster/0")
        store = Redis(url, Options(password=Secret(servers.PASSWORD)))
        load = Load(store, 10)
        await load.some("good", 100)
        await asyncio.to_thread(watched.fail_over)
        await load.some("good", 200)
        bad = load.bad
        await load.some("good", 200)
        assert load.bad == bad
        await load.end()
        assert load.slowest < PATIENCE + SLACK
        await store.close()


async def test_a_cluster_serves_what_its_other_servers_have_and_all_when_the_lost_one_is_back(tmp_path: Path) -> None:
    with servers.cluster(tmp_path) as three:
        url = parse("redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in three))
        store = Redis(url)
        load = Load(store)
        await load.some("good", 200)
        assert load.bad == 0
        three[0].kill()
        await load.some("bad", 100)
        await load.some("good", 200)
        # The first of three has the first third of the slots.
        assert {key_slot(f"edge:{key}".encode()) < 16384 // 3 for key in load.failed} == {True}
        await asyncio.to_thread(three[0].start)
        await asyncio.to_thread(three[0].wait_until, "cluster_state:ok", "CLUSTER", "INFO")
        await load.some("good", 500)
        async with asyncio.timeout(30):
            while True:
                bad = load.bad
                await load.some("good", 300)
                if load.bad == bad:
                    break
        await load.end()
        assert load.slowest < PATIENCE + SLACK
        await store.close()
