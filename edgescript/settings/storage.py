"""Where state that requests have in common is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from edgescript.declare.entries import Build, Complaint, setting
from edgescript.declare.fields import arg, option
from edgescript.declare.kinds import Size
from edgescript.storage.base import INSTEAD, Storage


@setting("storage")
class StorageSetting:
    """
    Keep what requests have in common (values of Python handlers, sessions, limits, cached responses) here.

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
    """

    kind: Literal["memory"] = arg("`memory`: in each worker, until it ends.", default="memory")
    max_size: Size | None = option("How many bytes it may take; without it 64 MiB.", least=1024 * 1024)

    def check(self) -> Iterator[Complaint]:
        yield from ()


def storage_of(build: Build) -> Storage:
    """
    The store that the graph being built keeps its state in, the same one before and after a reload.

    It opens when it is first used. Tests of an Edgefile have one of their own in memory.
    """
    instead = INSTEAD.get()
    if instead is not None:
        return instead
    from edgescript.storage.memory import DEFAULT_SIZE, Memory

    chosen = build.setting(StorageSetting)
    size = chosen.max_size or DEFAULT_SIZE
    return build.share(("storage", "memory", size), lambda: Memory(build.clock, max_size=size))
