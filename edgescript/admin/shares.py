"""Which endpoints get how much: what was asked for at the admin address, kept through reloads and restarts of workers."""

from __future__ import annotations

import logging
from typing import Any

import anyio

from edgescript.admin.operator import Operator

log = logging.getLogger("edgescript.admin")

#: The share of an endpoint that nobody has changed.
PLAIN = {"drained": False, "weight": 1}


class Shares:
    """The shares that differ from what the Edgefile says, by the endpoint's address."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self.wanted: dict[str, dict[str, Any]] = {}
        #: Who knows of them: processes, with the configuration that they had then.
        self._told: set[tuple[int, int]] = set()
        self._changed = anyio.Event()

    def of(self, address: str) -> dict[str, Any]:
        return self.wanted.get(address, PLAIN)

    async def change(self, address: str, change: dict[str, Any]) -> None:
        """Change the share of an endpoint in every worker."""
        share = {**self.of(address), **change}
        if share == PLAIN:
            self.wanted.pop(address, None)
        else:
            self.wanted[address] = share
        await self._tell()
        self._changed.set()

    async def _tell(self) -> None:
        """Have all workers know all shares: the whole state, so that nothing is lost where one is told twice or too early."""
        told = self._ready()
        await self._operator.ask("share", {"shares": self.wanted})
        self._told = told

    def _ready(self) -> set[tuple[int, int]]:
        status = self._operator.status()
        return {(worker.pid, status.config.number) for worker in status.workers if worker.state == "ready"}

    async def run(self) -> None:
        """Tell workers that are new, while there is something to tell."""
        while True:
            await self._changed.wait()
            self._changed = anyio.Event()
            while self.wanted:
                await anyio.sleep(0.25)
                try:
                    await self._tell_new()
                except Exception:
                    log.exception("the workers could not be told which endpoints are drained")
                    await anyio.sleep(1)

    async def _tell_new(self) -> None:
        if self._ready() - self._told:
            await self._tell()
