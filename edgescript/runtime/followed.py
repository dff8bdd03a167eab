"""Files that are followed, so that a change of one of them is seen."""

from __future__ import annotations

from pathlib import Path

from edgescript.language.files import read_file

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
