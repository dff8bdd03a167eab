"""`--watch`: what follows files, and takes a changed Edgefile over while the server runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgescript.cli import console, edgefile
from edgescript.language.files import read_file

if TYPE_CHECKING:
    from edgescript.runtime.compose import Server

#: Seconds between two looks at the files.
INTERVAL = 0.5

_Stamp = tuple[int, int] | None


def _look(name: str) -> _Stamp:
    try:
        found = Path(name).stat()
    except OSError:
        return None  # editors that write a new file in place of the old one take it away for a moment
    return found.st_mtime_ns, found.st_size


class Followed:
    """Files, each looked at before it is read, so that no change is missed."""

    def __init__(self) -> None:
        self._stamps: dict[str, _Stamp] = {}

    def add(self, name: str) -> None:
        self._stamps[name] = _look(name)

    def read(self, name: str) -> bytes:
        """The bytes of a file that is imported, which is followed from now on."""
        self.add(name)
        return read_file(name)

    def changed(self) -> bool:
        """Whether one of them is another than it was."""
        return any(now is not None and now != then for name, then in self._stamps.items() for now in [_look(name)])


class Watch:
    """Follows an Edgefile and what it imports: `read` is given to whoever compiles it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._begin()

    def _begin(self) -> None:
        self.files = Followed()
        self.files.add(self._name)

    def read(self, name: str) -> bytes:
        return self.files.read(name)

    async def follow(self, server: Server) -> None:
        """Look again and again, and take over what has changed."""
        import anyio  # the server has it; `edge test --watch` does without

        while True:
            await anyio.sleep(INTERVAL)
            if self.files.changed():
                self._begin()
                await self._take_over(server)

    async def _take_over(self, server: Server) -> None:
        import anyio.to_thread

        from edgescript.server.listen import ListenError

        try:
            graph, problems = await anyio.to_thread.run_sync(
                lambda: edgefile.compiled(edgefile.read(self._name), read=self.read)
            )
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
        else:
            console.complain(f"{self._name} was taken over")
