"""The Edgefiles of the folders that are open in the editor, for those that import an open file without being open."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from edgescript.language.expand import expand
from edgescript.language.files import read_file
from edgescript.language.parse import parse
from edgescript.text.source import Source

#: What is looked at: folders inside of each other, folders and files in all, and characters of one file.
_DEEPEST, _MOST_FOLDERS, _MOST_FILES, _LARGEST = 6, 2_000, 500, 1_000_000
_SKIPPED = {"node_modules", "__pycache__", "venv"}

#: Folders, and how deep each is looked through.
Folders = Sequence[tuple[str, int]]


def folders_of(workspace: Iterable[str], documents: Iterable[str]) -> Folders:
    """The folders of the workspace; without one, those that documents stand in, without what is inside of them."""
    whole = [(folder, _DEEPEST) for folder in workspace]
    beside = dict.fromkeys(os.path.dirname(path) for path in documents if os.path.isabs(path))
    return [*whole, *((folder, 0) for folder in beside if not any(_inside(folder, outer) for outer, _ in whole))]


def _inside(folder: str, outer: str) -> bool:
    return folder == outer or folder.startswith(outer.rstrip("/") + "/")


def edgefiles(folders: Folders) -> Iterator[str]:
    """The paths of files that are called `Edgefile` or `*.edge`. Links are not followed, hidden folders not entered."""
    left_folders, left_files = _MOST_FOLDERS, _MOST_FILES
    for top, deepest in folders:
        for folder, inner, names in os.walk(top):
            deep = os.path.relpath(folder, top).count(os.sep) + (folder != top)
            inner[:] = sorted(n for n in inner if not n.startswith(".") and n not in _SKIPPED) if deep < deepest else []
            for name in sorted(names):
                path = os.path.join(folder, name)
                if (name == "Edgefile" or name.endswith(".edge")) and not os.path.islink(path):
                    yield path
                    left_files -= 1
            left_folders -= 1
            if not (left_folders > 0 and left_files > 0):
                return


class _Seen(NamedTuple):
    #: When it was written, and its size.
    stamp: tuple[int, int]
    #: The files that it reaches through imports, itself included.
    reached: frozenset[str]


class Workspace:
    """Remembers which files each Edgefile reaches, until it is written anew. For one thread at a time."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def importers(self, wanted: set[str], folders: Folders, environment: Mapping[str, str]) -> list[str]:
        """The Edgefiles that are not among the wanted files and reach one; of those that import each other, the outermost."""
        reached = {}
        for path in dict.fromkeys(edgefiles(folders)):
            if path not in wanted and (found := self._reached(path, environment)) and found & wanted:
                reached[path] = found
        return [path for path in reached if not any(_covers(other, path, reached) for other in reached)]

    def forget(self, paths: Iterable[str]) -> None:
        """What these files reach is looked for again; so is what may reach them by a pattern."""
        if any(paths):
            self._seen.clear()

    def _reached(self, path: str, environment: Mapping[str, str]) -> frozenset[str]:
        try:
            stat = os.stat(path)
            stamp = (stat.st_mtime_ns, stat.st_size)
            seen = self._seen.get(path)
            if seen is None or seen.stamp != stamp:
                names = _imports(path, environment) if stat.st_size <= _LARGEST else frozenset[str]()
                seen = self._seen[path] = _Seen(stamp, names)
        except OSError:  # gone meanwhile, or not for us to read
            return frozenset()
        return seen.reached


def _covers(one: str, other: str, reached: Mapping[str, frozenset[str]]) -> bool:
    """Whether a file imports another one; of those that import each other, the first by name counts as the outer."""
    return one != other and other in reached[one] and (one not in reached[other] or one < other)


def _imports(path: str, environment: Mapping[str, str]) -> frozenset[str]:
    """
    The files that an Edgefile reaches.

    :raises OSError: if it cannot be read
    """
    source = Source.of_bytes(path, read_file(path))
    if "import" not in source.text:
        return frozenset()
    noted, read = noting(read_file)
    file, _ = expand(parse(source)[0], environment=environment, read=read)
    return frozenset(noted) | {os.path.normpath(tree.source.name) for tree in file.trees}


def noting(read: Callable[[str], bytes]) -> tuple[set[str], Callable[[str], bytes]]:
    """The same function, and the names of the files that it was asked for, those included that are not there."""
    noted: set[str] = set()

    def read_noted(name: str) -> bytes:
        noted.add(os.path.normpath(name))
        return read(name)

    return noted, read_noted
