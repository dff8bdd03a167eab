"""The start and the end of an ASGI application: its lifespan protocol."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

log = logging.getLogger("edgescript.handlers")


class LifespanFailed(Exception):
    """The application says that it cannot start; the message is its own."""


class Lifespan:
    """
    One application's lifespan. An application that knows none is served without.

    :param patience: seconds that start-up, and shut-down, may take
    """

    def __init__(self, app: Any, patience: float) -> None:
        #: What it keeps for its requests, each of which gets a copy of the dictionary (`scope["state"]`).
        self.state: dict[str, Any] = {}
        self._app = app
        self._patience = patience
        self._messages: asyncio.Queue[str] = asyncio.Queue()
        self._said: dict[str, asyncio.Future[str | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """
        Start the application up.

        :raises LifespanFailed: if it says that it cannot start
        :raises TimeoutError: if it takes too long
        """
        loop = asyncio.get_running_loop()
        self._said = {"startup": loop.create_future(), "shutdown": loop.create_future()}
        self._task = loop.create_task(self._run())
        await self._turn("startup")

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        failure: str | None = None
        try:
            await self._app(scope, self._receive, self._send)
        except asyncio.CancelledError:
            raise
        except (Exception, SystemExit) as error:  # of one that knows no lifespan, this is usual
            if self._said["startup"].done():
                log.error("the application failed in its lifespan", exc_info=error)
                failure = repr(error)
            else:
                log.info("the application has no lifespan: %r", error)
        finally:
            for said in self._said.values():
                if not said.done():
                    said.set_result(failure)

    async def _receive(self) -> dict[str, Any]:
        return {"type": f"lifespan.{await self._messages.get()}"}

    async def _send(self, message: dict[str, Any]) -> None:
        turn, _, outcome = message["type"].removeprefix("lifespan.").partition(".")
        said = self._said.get(turn)
        if said is None or outcome not in ("complete", "failed") or said.done():
            raise RuntimeError(f"the application may not send {message['type']} now")
        said.set_result(None if outcome == "complete" else message.get("message") or "it gave no reason")

    async def _turn(self, turn: str) -> None:
        self._messages.put_nowait(turn)
        async with asyncio.timeout(self._patience):
            failure = await asyncio.shield(self._said[turn])
        if failure is not None:
            raise LifespanFailed(f"the application's {turn} failed: {failure}")

    async def close(self) -> None:
        """Shut the application down."""
        task = self._task
        if task is None:
            return
        try:
            if not task.done():
                await self._turn("shutdown")
        except (LifespanFailed, TimeoutError) as error:
            log.error("an application did not shut down in good order: %r", error)
        finally:
            task.cancel()
            await asyncio.wait([task], timeout=1)
