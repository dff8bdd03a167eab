"""Which server of a Redis cluster has a key, and a client for each.

redis-py has a client for clusters as well. When one server of it is away, it closes the connections to all others, whoever
uses them (8.1: half of the operations on servers that were well failed, some with an AttributeError). Here every server
has its own client and its own circuit, so that one that is away takes nothing but its own keys with it.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

import redis.asyncio as client
from redis import exceptions
from redis.crc import key_slot

from edgescript.storage.circuit import Circuit

#: Seconds between two questions about who has what.
ASK_EVERY = 0.25

Place = tuple[str, int]


class Node:
    """One server: the client that speaks to it, and whether it is to be left alone for a moment."""

    def __init__(self, made: Any, clock: Callable[[], float]) -> None:
        self.client = made
        self.circuit = Circuit(clock)


class Cluster:
    """
    :param places: servers to begin with; the others are found
    :param connect: makes a client for one
    """

    def __init__(self, places: Sequence[Place], connect: Callable[[Place], Any], *, clock: Callable[[], float]) -> None:
        self._places = tuple(places)
        self._connect = connect
        self._clock = clock
        self._nodes: dict[Place, Node] = {}
        #: The first slots of ranges, rising, with the last ones and who has them.
        self._starts: list[int] = []
        self._ranges: list[tuple[int, Place]] = []
        self._is_stale = True
        self._asked_at = 0.0
        self._asking = asyncio.Lock()

    def known(self, name: bytes) -> Node | None:
        """The server that has a key, as far as that is known without asking."""
        if self._is_stale and self._clock() >= self._asked_at + ASK_EVERY:
            return None
        slot = key_slot(name)
        found = bisect_right(self._starts, slot) - 1
        if found < 0 or self._ranges[found][0] < slot:
            return None
        return self._node(self._ranges[found][1])

    async def find(self, name: bytes) -> Node:
        """
        The server that has a key.

        :raises redis.exceptions.RedisError: if nobody knows
        """
        await self._ask()
        node = self.known(name)
        if node is None:
            raise exceptions.SlotNotCoveredError("nobody has this slot")
        return node

    async def all(self) -> list[Node]:
        """Those that each have a part of the keys."""
        await self._ask()
        return [self._node(place) for place in dict.fromkeys(place for _, place in self._ranges)]

    def at(self, host: str, port: int) -> Node:
        """The server that another one names."""
        return self._node((host, port))

    def doubt(self) -> None:
        """Somebody else may have the keys of a server now."""
        self._is_stale = True

    async def close(self) -> None:
        nodes, self._nodes = self._nodes, {}
        self._starts, self._ranges, self._is_stale = [], [], True
        for node in nodes.values():
            await node.client.aclose()

    def _node(self, place: Place) -> Node:
        node = self._nodes.get(place)
        if node is None:
            node = self._nodes[place] = Node(self._connect(place), self._clock)
        return node

    async def _ask(self) -> None:
        """Ask who has what, if that is in doubt and nobody has just asked."""
        async with self._asking:
            if self._starts and not (self._is_stale and self._clock() >= self._asked_at + ASK_EVERY):
                return
            self._asked_at = self._clock()
            failure: Exception = exceptions.ClusterDownError("no server of it answers")
            for place in dict.fromkeys((*self._nodes, *self._places)):
                node = self._node(place)
                if not node.circuit.may_try():
                    continue
                try:
                    self._learn(await node.client.execute_command("CLUSTER", "SLOTS"), place)
                except (exceptions.RedisError, OSError) as error:
                    node.circuit.failed()
                    failure = error
                else:
                    node.circuit.worked()
                    return
            if not self._starts:
                raise failure

    def _learn(self, said: Any, asked: Place) -> None:
        """What CLUSTER SLOTS says: first slot, last slot, then the master's host and port. An empty host is who was asked."""
        found = sorted(
            (int(first), int(last), (master[0].decode() or asked[0] if master[0] else asked[0], int(master[1])))
            for first, last, master, *_ in said
        )
        self._starts = [first for first, _, _ in found]
        self._ranges = [(last, place) for _, last, place in found]
        self._is_stale = False


class Asking(client.Redis):
    """Speaks to a server that is just being given a key, which it must be told before every command (ASK)."""

    async def execute_command(self, *words: Any, **options: Any) -> Any:
        await super().execute_command("ASKING")  # type: ignore[no-untyped-call]
        return await super().execute_command(*words, **options)  # type: ignore[no-untyped-call]
