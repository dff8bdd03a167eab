"""`edge run --watch`: a changed Edgefile takes over while the server runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from edgescript.cli import console, edgefile
from edgescript.server.listen import ListenError

if TYPE_CHECKING:
    from edgescript.runtime.compose import Server

#: Seconds between two looks at the file.
INTERVAL = 0.5

_Stamp = tuple[int, int] | None


class Watch:
    """Follows one file. Only the file itself is watched, not what it imports."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._stamp = self._look()

    def _look(self) -> _Stamp:
        try:
            found = Path(self._name).stat()
        except OSError:
            return None  # editors that write a new file in place of the old one take it away for a moment
        return found.st_mtime_ns, found.st_size

    async def follow(self, server: Server) -> None:
        """Look again and again, and take over what has changed."""
        while True:
            await anyio.sleep(INTERVAL)
            stamp = self._look()
            if stamp is not None and stamp != self._stamp:
                self._stamp = stamp
                await self._take_over(server)

    async def _take_over(self, server: Server) -> None:
        try:
            graph, problems = await anyio.to_thread.run_sync(lambda: edgefile.compiled(edgefile.read(self._name)))
        except OSError as error:
            console.complain(console.reason(error))
            return
        edgefile.show(problems, error=True)
        if graph is None or not graph.listeners:
            console.complain(f"{self._name} was not taken over; the server goes on as it was")
            return
        try:
            await server.replace(graph)
        except ListenError as error:
            console.complain(f"{self._name} was not taken over: {error}")
            await graph.close()
        else:
            console.complain(f"{self._name} was taken over")
