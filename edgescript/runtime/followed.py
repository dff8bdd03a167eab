"""Files that are followed, so that a change of one of them is seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from edgescript.language.files import find_files, read_file

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
    """
    Files, each looked at before it is read, so that no change is missed.

    :param modules: of handlers, which are imported again after what is read
    """

    def __init__(self, modules: Iterable[str] = ()) -> None:
        self._stamps: dict[str, _Stamp] = {}
        #: What the patterns of imports matched.
        self._found: dict[str, list[str]] = {}
        self._modules = set(modules)
        #: Modules that may have changed between their import and the first look at them.
        self._doubtful: set[str] = set()
        for name in self._modules:
            self.add(name)

    def add(self, name: str) -> None:
        self._stamps[name] = _look(name)

    def add_modules(self, current: Mapping[str, bool]) -> None:
        """
        Follow these modules as well, from now on; those that are followed are not looked at again.

        :param current: whether each still holds what was imported. That counts when it is said for the second time, which is
            behind the first look: one that does not, counts as one that changes then
        """
        for name, is_current in current.items():
            if name not in self._modules:
                self._modules.add(name)
                self._doubtful.add(name)
                self.add(name)
            elif name in self._doubtful:
                self._doubtful.discard(name)
                if not is_current:
                    self._stamps[name] = None

    def read(self, name: str) -> bytes:
        """The bytes of a file that is imported, which is followed from now on."""
        self.add(name)
        return read_file(name)

    def find(self, pattern: str) -> list[str]:
        """The files that an import's pattern matches; whether it matches others is followed from now on."""
        names = self._found[pattern] = find_files(pattern)
        return names

    def again(self) -> Followed:
        """For the Edgefile that is read next: the modules are known already, so that no change of them is missed."""
        return Followed(self._modules)

    def changed(self) -> bool:
        """Whether one of them is another than it was, or a pattern matches others."""
        return any(
            now is not None and now != then for name, then in self._stamps.items() for now in [_look(name)]
        ) or any(find_files(pattern) != names for pattern, names in self._found.items())
