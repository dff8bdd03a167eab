"""What the resources have in common while the server runs: the operator, the feeds, and what they remember."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio

from edgescript.admin.figures import Figures, History
from edgescript.admin.operator import Operator
from edgescript.admin.stream import Feed

#: Seconds between two pictures of the server.
TICK = 1.0


class Room:
    """One for each admin address."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        #: One change of the configuration at a time, so that `If-Match` means what it says.
        self.changing = anyio.Lock()
        self.logs = Feed(lambda: operator.listen("log"))
        self.events = Feed(self._figures, most_waiting=64 * 1024)
        self.history = History()
        #: Drawings by the number of the configuration.
        self.drawn: dict[int, str] = {}
        self._scope = anyio.CancelScope()

    async def run(self) -> None:
        """What goes on beside the requests, until `close`."""
        with self._scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.logs.run)
                tasks.start_soon(self.events.run)

    def close(self) -> None:
        self.logs.close()
        self.events.close()
        self._scope.cancel()

    async def figures(self) -> Figures:
        """The server at this moment."""
        return await Figures.taken(self.operator)

    async def _figures(self) -> AsyncIterator[Any]:
        """Each second what the dashboard shows, encoded once for everybody."""
        while True:
            yield self.history.add(await self.figures())
            await anyio.sleep(TICK)
