"""The files that `import` reads: from the disk, and the snippets that are shipped with the program."""

from __future__ import annotations

import glob
import os
import stat
from pathlib import Path

from edgescript.language.parse import MAX_SIZE

_HERE = Path(__file__).resolve()
#: In a wheel the library is part of the package; in a checkout it stands beside it.
_LIBRARIES = (_HERE.parents[1] / "stdlib", _HERE.parents[2] / "stdlib")


#: One more than a file may have. A character has up to four bytes; whoever parses counts characters.
MOST_BYTES = 4 * MAX_SIZE + 1


def read_file(name: str) -> bytes:
    """
    The bytes of a regular file, at most one more than a file may have.

    :raises OSError: if there is none, or it cannot be read
    """
    with open(name, "rb", opener=_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is no regular file")
        return file.read(MOST_BYTES)


def _at_once(name: str, flags: int) -> int:
    """Open without waiting for whoever would write into a named pipe."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def find_files(pattern: str) -> list[str]:
    """The files that a pattern with `*`, `?` or `[…]` matches, sorted; hidden ones only where the pattern says so."""
    return sorted(name for name in glob.glob(pattern, recursive=True) if not os.path.isdir(name))


def standard_names() -> list[str]:
    """What `import std/NAME` knows."""
    return sorted(path.stem for path in _library().glob("*.edge"))


def standard_file(name: str) -> Path:
    """Where a snippet of the standard library stands."""
    return _library() / f"{name}.edge"


def standard_example(name: str) -> Path:
    """Where the Edgefile stands that shows a snippet of the standard library, with tests."""
    return _library() / "examples" / f"{name}.edge"


def _library() -> Path:
    return next(path for path in _LIBRARIES if path.is_dir())
