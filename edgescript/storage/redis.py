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
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import redis.asyncio as client
from redis import exceptions
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel
from redis.backoff import NoBackoff

from edgescript.http.pending import in_task
from edgescript.storage import locks
from edgescript.storage.base import LEAST_NUMBER, MOST_NUMBER, StorageError, check_value, stored_key
from edgescript.storage.circuit import Circuit
from edgescript.storage.health import Health
from edgescript.storage.url import RedisUrl
from edgescript.text.secret import Secret

T = TypeVar("T")

#: Seconds that connecting and one answer may take each, and an operation as a whole.
TIMEOUT = 1.0
PATIENCE = 2.0
#: Connections to one server; more operations wait their turn.
MOST_CONNECTIONS = 32
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
        self._circuit = Circuit(clock)
        self._client: Any = None
        self._sentinel: Any = None
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

        return await self._run(work)

    async def set(self, key: str, value: bytes, *, ttl: float | None = None, durable: bool = False) -> None:
        name = self._name(key)
        check_value(value)

        async def work(redis: Any) -> object:
            if ttl is not None and ttl <= 0:
                return await redis.delete(name)
            return await redis.set(name, value, px=_milliseconds(ttl))

        await self._run(work)

    async def add(self, key: str, value: bytes, *, ttl: float | None = None) -> bool:
        return await self._add(self._name(key), value, ttl)

    async def delete(self, key: str) -> bool:
        name = self._name(key)

        async def work(redis: Any) -> bool:
            return bool(await redis.delete(name))

        return await self._run(work)

    async def increment(self, key: str, amount: int = 1, *, ttl: float | None = None) -> int:
        name = self._name(key)
        if not LEAST_NUMBER <= amount <= MOST_NUMBER:
            raise ValueError("the number is too large")

        async def work(redis: Any) -> int:
            if ttl is None:
                return int(await redis.incrby(name, amount))
            return int(await redis.eval(_INCREMENT, 1, name, amount, _milliseconds(ttl)))

        return await self._run(work)

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

        return await self._run(work)

    async def keys(self, prefix: str = "") -> AsyncIterator[str]:
        first = prefix.encode("utf-8", "surrogatepass")
        pattern = _literally(self._prefix + first) + b"*"
        for node in await self._run(self._nodes):
            seen: set[bytes] = set()  # SCAN may give a key several times
            cursor = 0
            while True:
                cursor, names = await self._run(partial(_scan, node, cursor, pattern))
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

            await self._run(work)

        return locks.held(take, free, wait=wait)

    async def close(self) -> None:
        redis, self._client = self._client, None
        sentinel, self._sentinel = self._sentinel, None

        async def end() -> None:
            for one in [redis, *(sentinel.sentinels if sentinel else ())]:
                if one is not None:
                    await one.aclose()

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

        return await self._run(work)

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

    async def _nodes(self, redis: Any) -> list[Any]:
        """Those that each have a part of the keys."""
        if self._url.topology != "cluster":
            return [None]
        await redis.initialize()
        return list(redis.get_primaries())

    async def _run(self, work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        """The one place where the server is used, and where its failures are told."""
        if not self._circuit.may_try():
            error = StorageError(f"{self._url}: it was away a moment ago")
            self._health.failed(error)
            raise error
        return await in_task(self._bounded(work))

    async def _bounded(self, work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        try:
            async with asyncio.timeout(PATIENCE), self._turns:
                if self._client is None:
                    self._client = self._connect()
                result = await work(self._client)
        except exceptions.ResponseError as error:
            if _is_about_numbers(error):
                self._works()
                raise ValueError("the key does not hold a whole number, or the sum is too large") from None
            raise self._failure(error) from None
        except (exceptions.RedisError, MasterNotFoundError, OSError) as error:
            raise self._failure(error) from None
        self._works()
        return result

    def _works(self) -> None:
        self._circuit.worked()
        if self._health.is_down:
            self._health.worked()

    def _failure(self, error: Exception) -> StorageError:
        # What the library says may hold anything, so only its kind is told on.
        is_away, said = next((away, said) for kind, away, said in _FAILURES if isinstance(error, kind))
        if is_away:
            self._circuit.failed()
        failure = StorageError(f"{self._url}: {said}")
        self._health.failed(failure)
        return failure

    # ---- connecting

    def _connect(self) -> Any:
        """A client; it connects when it is used."""
        url = self._url
        common = self._common()
        if url.topology == "unix":
            return client.Redis(unix_socket_path=url.path, db=url.database, max_connections=MOST_CONNECTIONS, **common)
        common |= self._tls()
        if url.topology == "single":
            host, port = url.hosts[0]
            return client.Redis(host=host, port=port, db=url.database, max_connections=MOST_CONNECTIONS, **common)
        if url.topology == "cluster":
            nodes = [ClusterNode(host, port) for host, port in url.hosts]
            return client.RedisCluster(
                startup_nodes=nodes, require_full_coverage=False, max_connections=MOST_CONNECTIONS, **common
            )
        own = {name: value for name, value in common.items() if name not in ("username", "password")}
        own["password"] = _revealed(self._options.sentinel_password)
        self._sentinel = Sentinel(url.hosts, sentinel_kwargs=own, db=url.database, **common)  # type: ignore[no-untyped-call]
        return self._sentinel.master_for(url.service, max_connections=MOST_CONNECTIONS)

    def _common(self) -> dict[str, Any]:
        options = self._options
        return {
            "username": options.user if options.user is not None else self._url.user,
            "password": _revealed(options.password or self._url.password),
            "socket_connect_timeout": TIMEOUT,
            "socket_timeout": TIMEOUT,
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,
            "lib_name": None,
            "lib_version": None,
        }

    def _tls(self) -> dict[str, Any]:
        if not self._url.tls:
            return {}
        options = self._options
        return {
            "ssl": True,
            "ssl_cert_reqs": "required",
            "ssl_check_hostname": True,
            "ssl_ca_certs": options.ca,
            "ssl_certfile": options.certificate,
            "ssl_keyfile": options.key or options.certificate,
        }


class _Queue:
    """Those who wait for their turn at a key."""

    __slots__ = ("lock", "users")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0


async def _scan(node: Any, cursor: int, pattern: bytes, redis: Any) -> tuple[int, list[bytes]]:
    if node is None:
        at, names = await redis.scan(cursor, match=pattern, count=PAGE)
        return at, names
    at, names = await redis.scan(cursor, match=pattern, count=PAGE, target_nodes=node)
    return at[node.name], names


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
