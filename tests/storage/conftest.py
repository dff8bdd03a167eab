"""The stores that the tests of this folder run against, each in a world where time can pass."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from edgescript.storage.base import Storage
from edgescript.storage.disk import Disk
from edgescript.storage.memory import Memory
from edgescript.storage.redis import Options, Redis
from edgescript.storage.url import parse
from edgescript.text.secret import Secret
from tests.storage import servers


class Hands:
    """A clock that stands still until it is put forward."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """A store, and the time that it lives by."""

    store: Storage
    #: Another one that has the same values, as another process would open it; the same where there is none.
    other: Storage
    #: Seconds that are long enough here to say that time has passed.
    second: float
    wait: Callable[[float], Awaitable[None]]


NEEDS_REDIS = pytest.mark.skipif(servers.SERVER is None, reason="redis-server is not installed")
STORES = [
    "memory",
    "disk",
    *[
        pytest.param(name, marks=NEEDS_REDIS)
        for name in ("redis-password", "redis-user", "redis-tls", "redis-unix", "redis-cluster", "redis-sentinel")
    ],
]


@pytest.fixture(scope="session")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    with servers.single(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[servers.Server]]:
    with servers.cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found


@pytest.fixture(scope="session")
def sentinel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Watched]:
    with servers.sentinel(tmp_path_factory.mktemp("sentinel")) as watched:
        yield watched


@pytest.fixture(params=STORES)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """One of all stores, empty."""
    name: str = request.param
    hands = Hands()

    async def put_forward(seconds: float) -> None:
        hands.now += seconds

    if name == "memory":
        store: Any = Memory(hands)
        found = World(store, store, 1.0, put_forward)
    elif name == "disk":
        found = World(Disk(tmp_path, clock=hands), Disk(tmp_path, clock=hands), 1.0, put_forward)
    else:
        make = redis_maker(name, request)
        # Redis has a clock of its own.
        found = World(make(), make(), 0.3, anyio.sleep)
        for key in [key async for key in found.store.keys("")]:
            await found.store.delete(key)
    yield found
    await found.store.close()
    await found.other.close()


def redis_maker(name: str, request: pytest.FixtureRequest) -> Callable[[], Redis]:
    """How to speak to the servers by which of their doors. Each has a prefix of its own, so that time cannot mix them up."""
    prefix = f"edge:{name}:"
    if name == "redis-cluster":
        found = request.getfixturevalue("cluster")
        url = parse("redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in found))
        return lambda: Redis(url, Options(prefix=prefix))
    password = Secret(servers.PASSWORD)
    if name == "redis-sentinel":
        watched = request.getfixturevalue("sentinel")
        url = parse(f"redis+sentinel://127.0.0.1:{watched.sentinel.port}/mymaster")
        return lambda: Redis(url, Options(prefix=prefix, password=password))
    server = request.getfixturevalue("single")
    if name == "redis-tls":
        url = parse(f"rediss://localhost:{server.tls_port}/1")
        files = server.certificates
        options = Options(
            prefix=prefix, password=password, ca=files["ca"], certificate=files["client"], key=files["client-key"]
        )
    elif name == "redis-unix":
        url, options = parse(f"unix://{server.directory}/redis.sock?db=2"), Options(prefix=prefix, password=password)
    elif name == "redis-user":
        url = parse(f"redis://{servers.USER}:{servers.USERS_PASSWORD}@localhost:{server.port}")
        options = Options(prefix=prefix)
    else:
        url = parse(f"redis://:open%20sesame%2F%401@127.0.0.1:{server.port}/3")
        options = Options(prefix=prefix)
    return lambda: Redis(url, options)


@pytest.fixture
def hands() -> Hands:
    return Hands()
