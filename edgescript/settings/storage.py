"""Where state that requests have in common is kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from edgescript.declare.entries import Build, Complaint, setting
from edgescript.declare.fields import arg, option
from edgescript.declare.kinds import Kind, KindError, Size
from edgescript.declare.scope import Scope
from edgescript.metric import Meter
from edgescript.storage.base import INSTEAD, Storage, StorageError
from edgescript.storage.health import Health
from edgescript.storage.lazy import Lazy
from edgescript.storage.place import state_directory
from edgescript.storage.url import EXAMPLE, RedisUrl, UrlError, parse
from edgescript.text.problem import Hint
from edgescript.text.secret import Secret

#: The kinds of storage, with what they are called elsewhere.
_KINDS = {"memory": ("ram",), "disk": ("file", "file_system", "lmdb"), "redis": ("valkey",)}
#: Which options are for which kind alone.
_OF_REDIS = ("user", "password", "sentinel_password", "ca", "certificate", "key", "prefix")


def _kind(text: str, scope: Scope) -> str:
    if text in _KINDS:
        return text
    name = next((name for name, others in _KINDS.items() if text in others), None)
    hint = Hint(f'it is called "{name}"', name, safe=True) if name else None
    raise KindError("expected memory, disk or redis", hint=hint)


def _place(text: str, scope: Scope) -> str | RedisUrl:
    if "://" not in text:
        return text
    try:
        return parse(text)
    except UrlError as error:
        raise KindError(str(error)) from None


StorageKind = Annotated[
    str, Kind("kind of storage", "memory, disk or redis", tuple(_KINDS), _kind, words=tuple(_KINDS))
]
StoragePlace = Annotated[
    Any, Kind("directory or URL", f"a directory, or a URL such as {EXAMPLE}", ("/var/lib/edge", EXAMPLE), _place)
]


@setting("storage")
class StorageSetting:
    """
    Keep what requests have in common (values of Python handlers, sessions, limits, cached responses) here.

    `disk` is a file that all workers of this machine share; it is bounded, and survives a restart. Without this setting it
    stands in the directory for the program's own state, and where that cannot be written, everything is kept in memory.
    `memory` is each worker's own, and forgets what was not used for longest. `redis` is for several machines: one server
    (`redis://`, with TLS `rediss://`), a cluster (`redis+cluster://`), what sentinels say (`redis+sentinel://`), or a socket
    (`unix://`). While it is away, whatever needs it fails quickly, and works again when it is back.

    ```edge-test
    {
        storage memory {
            max_size 16MiB
        }
    }
    :80 {
        respond 200 "hello"
    }
    test "an ordinary request is served" {
        request GET http://localhost/
        expect status 200
    }
    ```

    ```edgefile
    {
        storage redis rediss+sentinel://10.0.0.1,10.0.0.2,10.0.0.3/mymaster/0 {
            user edge
            password {$REDIS_PASSWORD:change-me}
            ca /etc/edge/redis-ca.pem
        }
    }
    ```
    """

    kind: StorageKind = arg("`disk`, `memory` or `redis`.", default="disk")
    place: StoragePlace | None = arg(
        f"Of `disk`, its directory; of `redis`, a URL such as {EXAMPLE}, `redis+cluster://10.0.0.1,10.0.0.2`, "
        "`redis+sentinel://10.0.0.1,10.0.0.2/mymaster/0` or `unix:///run/redis.sock?db=0`."
    )
    max_size: Size | None = option(
        "How many bytes it may take; without it 1 GiB on disk, and 64 MiB in memory.", least=1024 * 1024
    )
    user: str | None = option("Whom Redis knows us as.")
    password: Secret | None = option("What Redis asks for. It can stand in the URL as well.")
    sentinel_password: Secret | None = option("What the sentinels ask for, where they do.")
    ca: str | None = option(
        "A file of certificates in PEM: who may have signed that of Redis; without it, whom the system trusts."
    )
    certificate: str | None = option("A file with our certificate in PEM, where Redis asks for one.")
    key: str | None = option("The file of its key, where that is another one.")
    prefix: str | None = option("What our keys begin with in Redis; without it `edge:`.")

    def check(self) -> Iterator[Complaint]:
        is_url = isinstance(self.place, RedisUrl)
        if self.kind == "redis" and not is_url:
            yield Complaint("place" if self.place else None, "redis needs a URL", f'write "storage redis {EXAMPLE}"')
        if self.kind == "disk" and is_url:
            yield Complaint("place", "the place of disk is a directory", "did you mean redis?")
        if self.kind == "memory" and self.place is not None:
            yield Complaint("place", "memory has no place", "leave it out, or write disk")
        if self.kind == "redis" and self.max_size is not None:
            yield Complaint("max_size", "how much Redis may hold is said there, as maxmemory")
        for name in _OF_REDIS:
            if self.kind != "redis" and getattr(self, name) is not None:
                yield Complaint(name, f"{name} is for redis")
        if isinstance(self.place, RedisUrl) and not self.place.tls:
            for name in ("ca", "certificate", "key"):
                if getattr(self, name) is not None:
                    yield Complaint(
                        name, f"{name} is for a connection with TLS", "write rediss:// in place of redis://"
                    )
        if self.key is not None and self.certificate is None:
            yield Complaint("key", "a key needs its certificate")


def storage_of(build: Build) -> Storage:
    """
    The store that the graph being built keeps its state in, the same one before and after a reload.

    It opens when it is first used. Tests of an Edgefile have one of their own in memory.
    """
    instead = INSTEAD.get()
    if instead is not None:
        return instead
    chosen = build.setting(StorageSetting)
    directory = None if chosen.place is None else Path(build.directory(), str(chosen.place))
    make = {
        "memory": partial(_memory, build, chosen.max_size),
        "disk": partial(_disk, build.meter, directory, chosen.max_size),
        "redis": partial(_redis, build.meter, chosen, build.directory()),
    }[chosen.kind]
    return build.share(("storage", chosen, build.directory()), lambda: Lazy(make))


def _memory(build: Build, size: int | None) -> Storage:
    from edgescript.storage.memory import DEFAULT_SIZE, Memory

    return Memory(build.clock, max_size=size or DEFAULT_SIZE)


def _disk(meter: Meter, directory: Path | None, size: int | None) -> Storage:
    from edgescript.storage.disk import DEFAULT_SIZE, Disk

    place = directory or state_directory(os.environ)
    disk = Disk(place, max_size=size or DEFAULT_SIZE, health=Health("disk", str(place), meter))
    if directory is None:
        try:
            disk.open()
        except StorageError as error:
            return _instead_of_disk(error, size)
    return disk


def _instead_of_disk(error: StorageError, size: int | None) -> Storage:
    """Nobody asked for this directory, so a server that may not write there works without."""
    import logging
    import time

    from edgescript.storage.memory import DEFAULT_SIZE, Memory

    logging.getLogger("edgescript.storage").warning(
        "state is kept in memory, by each worker for itself, and lost at the end: %s (see the setting storage)", error
    )
    return Memory(time.monotonic, max_size=min(size or DEFAULT_SIZE, DEFAULT_SIZE))


def _redis(meter: Meter, chosen: StorageSetting, directory: str) -> Storage:
    from edgescript.storage.redis import Options, Redis

    assert isinstance(chosen.place, RedisUrl), "check() saw to it"

    def file(name: str | None) -> str | None:
        return None if name is None else os.path.join(directory, name)

    options = Options(
        prefix="edge:" if chosen.prefix is None else chosen.prefix,
        user=chosen.user,
        password=chosen.password,
        sentinel_password=chosen.sentinel_password,
        ca=file(chosen.ca),
        certificate=file(chosen.certificate),
        key=file(chosen.key),
    )
    return Redis(chosen.place, options, health=Health("redis", str(chosen.place), meter))
