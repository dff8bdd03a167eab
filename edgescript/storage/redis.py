"""A store in Redis or Valkey, which several machines have in common: one server, a cluster, or what sentinels say.

Every operation is one command or one script on one key, so that it is atomic in a cluster too. `update` compares and sets:
a script writes only where the value is still the one that was read. Nothing is sent twice, because a command whose answer
was lost may have been carried out.

A server that is gone costs each operation at most `PATIENCE`, and after the first failure nothing, until one finds it back
(`circuit`). All of it runs in tasks, because redis-py waits for asyncio's streams.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import redis.asyncio as client
from redis import exceptions
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel
from redis.backoff import NoBackoff

from edgescript.http.pending import in_task
from edgescript.storage import locks
from edgescript.storage.base import LEAST_NUMBER, MOST_NUMBER, StorageError, check_value, stored_key
from edgescript.storage.cluster import Asking, Cluster, Node, Place
from edgescript.storage.health import Health
from edgescript.storage.url import RedisUrl
from edgescript.text.secret import Secret

T = TypeVar("T")

#: Seconds that connecting and one answer may take each, and an operation as a whole.
TIMEOUT = 1.0
PATIENCE = 2.0
#: Connections to one server; more operations wait their turn.
MOST_CONNECTIONS = 16
#: Keys that one SCAN looks at.
PAGE = 500
#: What the names of locks begin with, behind the prefix; keys do not.
_LOCK = b"\0"

# GET after INCRBY, because Lua's numbers are doubles: exact to 53 bits only.
_INCREMENT = """
local is_new = redis.call('EXISTS', KEYS[1]) == 0
redis.call('INCRBY', KEYS[1], ARGV[1])
if is_new then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('GET', KEYS[1])
"""
# ARGV: whether there was a value, the value; whether there is to be one, the value; milliseconds or 0.
_REPLACE = """
local held = redis.call('GET', KEYS[1])
if ARGV[1] == '1' then
    if held ~= ARGV[2] then return 0 end
elseif held then
    return 0
end
if ARGV[3] == '0' then redis.call('DEL', KEYS[1])
elseif ARGV[5] == '0' then redis.call('SET', KEYS[1], ARGV[4])
else redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5]) end
return 1
"""
_FREE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


@dataclass(frozen=True, slots=True)
class Options:
    """How to speak to the servers, beside what the URL says."""

    #: What our keys begin with there.
    prefix: str = "edge:"
    user: str | None = None
    password: Secret | None = None
    #: Of the sentinels, where they ask for one.
    sentinel_password: Secret | None = None
    #: Files in PEM: whom to trust, and who we are.
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None


#: What a failure means: whether the server is to be left alone for a moment, and what is said. The first that fits.
_FAILURES: tuple[tuple[type[BaseException], bool, str], ...] = (
    (exceptions.AuthenticationError, True, "the user or password is refused"),
    (exceptions.AuthorizationError, True, "the user may not do this"),
    (exceptions.NoPermissionError, True, "the user may not do this"),
    (exceptions.OutOfMemoryError, False, "it is full"),
    (exceptions.BusyLoadingError, True, "it is still loading its data"),
    (exceptions.ReadOnlyError, True, "it is a replica, which takes no changes"),
    (MasterNotFoundError, True, "the sentinels know no master that is up"),
    (exceptions.SlotNotCoveredError, True, "a part of the cluster is gone"),
    (exceptions.ClusterDownError, True, "the cluster is down"),
    (exceptions.MasterDownError, True, "the master is down"),
    (exceptions.TimeoutError, True, "no answer in time"),
    (TimeoutError, True, "no answer in time"),
    (exceptions.ConnectionError, True, "there is no connection"),
    (exceptions.RedisClusterException, True, "the cluster cannot be reached"),
    (exceptions.ResponseError, False, "it does not understand the command"),
    (exceptions.RedisError, True, "it does not answer as a Redis does"),
    (OSError, True, "there is no connection"),
)


class Redis:
    """
    :param url: where it is
    """

    def __init__(
        self,
        url: RedisUrl,
        options: Options | None = None,
        *,
        health: Health | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._options = options or Options()
        self._prefix = self._options.prefix.encode("utf-8")
        self._health = health or Health("redis", str(url))
        self._clock = clock
        self._alone: Node | None = None
        self._sentinel: Any = None
        self._context: _Context | None = None
        self._cluster: Cluster | None = None
        if url.topology == "cluster":
            self._cluster = Cluster(url.hosts, self._connect_to, clock=clock)
        self._turns = asyncio.Semaphore(MOST_CONNECTIONS)
        #: Those of this process that are changing a key now, so that they do not overtake each other again and again.
        self._changing: dict[bytes, _Queue] = {}

    def __repr__(self) -> str:
        return f"<Redis {self._url}>"

    async def get(self, key: str) -> bytes | None:
        name = self._name(key)

        async def work(redis: Any) -> bytes | None:
            value: bytes | None = await redis.get(name)
            return value

        return await self._run(name, work)

    async def set(self, key: str, value: bytes, *, ttl: float | None = None, durable: bool = False) -> None:
        name = self._name(key)
        check_value(value)

        async def work(redis: Any) -> object:
            if ttl is not None and ttl <= 0:
                return await redis.delete(name)
            return await redis.set(name, value, px=_milliseconds(ttl))

        await self._run(name, work)

    async def add(self, key: str, value: bytes, *, ttl: float | None = None) -> bool:
        return await self._add(self._name(key), value, ttl)

    async def delete(self, key: str) -> bool:
        name = self._name(key)

        async def work(redis: Any) -> bool:
            return bool(await redis.delete(name))

        return await self._run(name, work)

    async def increment(self, key: str, amount: int = 1, *, ttl: float | None = None) -> int:
        name = self._name(key)
        if not LEAST_NUMBER <= amount <= MOST_NUMBER:
            raise ValueError("the number is too large")

        async def work(redis: Any) -> int:
            if ttl is None:
                return int(await redis.incrby(name, amount))
            return int(await redis.eval(_INCREMENT, 1, name, amount, _milliseconds(ttl)))

        return await self._run(name, work)

    async def update(
        self,
        key: str,
        change: Callable[[bytes | None], tuple[bytes | None, T]],
        *,
        ttl: float | None = None,
        durable: bool = False,
    ) -> T:
        name = self._name(key)

        async def work(redis: Any) -> T:
            async with self._turn(name):
                while True:
                    old = await redis.get(name)
                    new, result = change(old)
                    if new is old:
                        return result
                    if new is not None:
                        check_value(new)
                    arguments = (*_given(old), *_given(new), _milliseconds(ttl) or 0)
                    if await redis.eval(_REPLACE, 1, name, *arguments):
                        return result
                    # Another process was quicker; the end comes with PATIENCE.
                    await asyncio.sleep(random.uniform(0.0, 0.005))  # noqa: S311

        return await self._run(name, work)

    async def keys(self, prefix: str = "") -> AsyncIterator[str]:
        first = prefix.encode("utf-8", "surrogatepass")
        pattern = _literally(self._prefix + first) + b"*"
        for node in await in_task(self._bounded(self._all, [])):
            seen: set[bytes] = set()  # SCAN may give a key several times
            cursor = 0
            while True:
                cursor, names = await self._run_at(node, partial(_scan, cursor, pattern))
                for name in names:
                    stored = name[len(self._prefix) :]
                    if stored not in seen and not stored.startswith(_LOCK):
                        seen.add(stored)
                        yield stored.decode("utf-8", "surrogatepass")
                if cursor == 0:
                    break

    def lock(self, key: str, *, ttl: float, wait: float) -> AbstractAsyncContextManager[bool]:
        name = self._prefix + _LOCK + stored_key(key)

        async def take(token: bytes) -> bool:
            return await self._add(name, token, ttl)

        async def free(token: bytes) -> None:
            async def work(redis: Any) -> object:
                return await redis.eval(_FREE, 1, name, token)

            await self._run(name, work)

        return locks.held(take, free, wait=wait)

    async def close(self) -> None:
        alone, self._alone = self._alone, None
        sentinel, self._sentinel = self._sentinel, None

        async def end() -> None:
            for one in [*([alone.client] if alone else ()), *(sentinel.sentinels if sentinel else ())]:
                await one.aclose()
            if self._cluster is not None:
                await self._cluster.close()

        await in_task(end())

    # ---- inside

    def _name(self, key: str) -> bytes:
        return self._prefix + stored_key(key)

    async def _add(self, name: bytes, value: bytes, ttl: float | None) -> bool:
        check_value(value)

        async def work(redis: Any) -> bool:
            if ttl is not None and ttl <= 0:
                return not await redis.exists(name)
            return bool(await redis.set(name, value, px=_milliseconds(ttl), nx=True))

        return await self._run(name, work)

    @asynccontextmanager
    async def _turn(self, name: bytes) -> AsyncIterator[None]:
        """The turn of this process at a key."""
        queue = self._changing.setdefault(name, _Queue())
        queue.users += 1
        try:
            async with queue.lock:
                yield
        finally:
            queue.users -= 1
            if queue.users == 0:
                del self._changing[name]

    async def _run(self, name: bytes, work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        """Do something with a key, at the server that has it."""
        if self._cluster is not None:
            return await self._run_in_cluster(self._cluster, name, work)
        return await self._run_at(self._only(), work)

    def _only(self) -> Node:
        """The one server, or the one that the sentinels say."""
        if self._alone is None:
            try:
                self._alone = Node(self._connect(), self._clock)
            except StorageError as error:
                self._health.failed(error)
                raise
        return self._alone

    async def _run_at(self, node: Node, work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        self._check(node)
        return await in_task(self._bounded(partial(work, node.client), [node]))

    async def _run_in_cluster(self, cluster: Cluster, name: bytes, work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        node = cluster.known(name)
        if node is not None:
            self._check(node)
        asked = [] if node is None else [node]

        async def follow() -> T:
            if not asked:
                asked.append(await cluster.find(name))
                if not asked[0].circuit.may_try():
                    raise self._away()
            while True:
                try:
                    return await work(asked[-1].client)
                except exceptions.AskError as error:
                    asked.append(cluster.at(error.host, error.port))
                    pool = asked[-1].client.connection_pool
                    async with Asking(connection_pool=pool, single_connection_client=True) as asking:
                        return await work(asking)
                except exceptions.MovedError as error:
                    cluster.doubt()
                    asked.append(cluster.at(error.host, error.port))
                except (exceptions.TryAgainError, exceptions.ClusterDownError):
                    # While slots move from one server to another, or to the replica of one that died.
                    await asyncio.sleep(0.05)

        return await in_task(self._bounded(follow, asked))

    def _check(self, node: Node) -> None:
        if not node.circuit.may_try():
            error = self._away()
            self._health.failed(error)
            raise error

    def _away(self) -> StorageError:
        return StorageError(f"{self._url}: it was away a moment ago")

    async def _all(self) -> list[Node]:
        """Those that each have a part of the keys."""
        if self._cluster is not None:
            return await self._cluster.all()
        return [self._only()]

    async def _bounded(self, work: Callable[[], Coroutine[Any, Any, T]], asked: list[Node]) -> T:
        """
        The one place where servers are used, and where their failures are told.

        :param asked: those that were asked so far; the last one is the one whose answer counts
        """
        try:
            async with asyncio.timeout(PATIENCE), self._turns:
                result = await work()
        except StorageError as error:  # it is away, or files for TLS cannot be read
            self._health.failed(error)
            raise
        except exceptions.ResponseError as error:
            if _is_about_numbers(error):
                self._works(asked)
                raise ValueError("the key does not hold a whole number, or the sum is too large") from None
            raise self._failure(asked, error) from None
        except (exceptions.RedisError, OSError) as error:
            raise self._failure(asked, error) from None
        self._works(asked)
        return result

    def _works(self, asked: list[Node]) -> None:
        for node in asked:
            node.circuit.worked()
        if self._health.is_down:
            self._health.worked()

    def _failure(self, asked: list[Node], error: Exception) -> StorageError:
        # What the library says may hold anything, so only its kind is told on.
        is_away, said = next((away, said) for kind, away, said in _FAILURES if isinstance(error, kind))
        for node in asked[-1:]:
            if is_away:
                node.circuit.failed()
            else:
                node.circuit.worked()
        if is_away and self._cluster is not None:
            self._cluster.doubt()
        failure = StorageError(f"{self._url}: {said}")
        self._health.failed(failure)
        return failure

    # ---- connecting

    def _connect(self) -> Any:
        """A client; it connects when it is used."""
        url = self._url
        common = self._common()
        if url.topology == "single":
            return self._connect_to(url.hosts[0])
        if url.topology == "unix":
            return client.Redis(unix_socket_path=url.path, db=url.database, max_connections=MOST_CONNECTIONS, **common)
        tls = self._tls() if url.tls else None
        common |= {"ssl": url.tls}
        own = {name: value for name, value in common.items() if name not in ("username", "password")}
        own["password"] = _revealed(self._options.sentinel_password)
        self._sentinel = Sentinel(url.hosts, sentinel_kwargs=own, db=url.database, **common)  # type: ignore[no-untyped-call]
        for one in self._sentinel.sentinels:
            _through(tls, one)
        return _through(tls, self._sentinel.master_for(url.service, max_connections=MOST_CONNECTIONS))

    def _connect_to(self, place: Place) -> Any:
        host, port = place
        made = client.Redis(
            host=host,
            port=port,
            db=self._url.database,
            ssl=self._url.tls,
            max_connections=MOST_CONNECTIONS,
            **self._common(),
        )
        return _through(self._tls() if self._url.tls else None, made)

    def _common(self) -> dict[str, Any]:
        options = self._options
        return {
            "username": options.user if options.user is not None else self._url.user,
            "password": _revealed(options.password or self._url.password),
            "socket_connect_timeout": TIMEOUT,
            "socket_timeout": TIMEOUT,
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,
        }

    def _tls(self) -> _Context:
        """Whom we trust and who we are: with a `ca`, that one alone."""
        if self._context is not None:
            return self._context
        options = self._options
        try:
            context = ssl.create_default_context(cafile=options.ca)
            if options.certificate is not None:
                context.load_cert_chain(options.certificate, options.key)
        except OSError as error:  # an SSLError is one
            files = ", ".join(file for file in (options.ca, options.certificate, options.key) if file)
            raise StorageError(f"{self._url}: {files}: {error.strerror or 'no certificate in PEM'}") from None
        self._context = _Context(context)
        return self._context


class _Context:
    """
    What redis-py asks for its TLS context.

    It would make one for each connection, which takes 16 ms of the event loop where the system's certificates are read.
    """

    def __init__(self, made: ssl.SSLContext) -> None:
        self._made = made

    def get(self) -> ssl.SSLContext:
        return self._made

    def connection(self, kind: Any) -> Any:
        """A kind of connection that uses this."""
        context = self

        class Connection(kind):  # type: ignore[misc]
            def __init__(self, **options: Any) -> None:
                super().__init__(**options)
                self.ssl_context = context

        return Connection


def _through(tls: _Context | None, made: Any) -> Any:
    """The client, with connections that have this context."""
    if tls is not None:
        pool = made.connection_pool
        pool.connection_class = tls.connection(pool.connection_class)
    return made


class _Queue:
    """Those who wait for their turn at a key."""

    __slots__ = ("lock", "users")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0


async def _scan(cursor: int, pattern: bytes, redis: Any) -> tuple[int, list[bytes]]:
    at, names = await redis.scan(cursor, match=pattern, count=PAGE)
    return at, names


def _literally(text: bytes) -> bytes:
    r"""A pattern that fits this text only: `*`, `?`, `[`, `]` and `\` mean something to Redis."""
    return b"".join(b"\\" + bytes([one]) if one in b"*?[]\\^-" else bytes([one]) for one in text)


def _revealed(secret: Secret | None) -> str | None:
    return None if secret is None else secret.value


def _given(value: bytes | None) -> tuple[int, bytes]:
    return (0, b"") if value is None else (1, value)


def _milliseconds(ttl: float | None) -> int | None:
    return None if ttl is None else max(round(ttl * 1000), 1)


def _is_about_numbers(error: exceptions.ResponseError) -> bool:
    said = str(error)
    return "not an integer" in said or "would overflow" in said
