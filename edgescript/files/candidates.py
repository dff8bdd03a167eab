"""Which of several paths to serve: the choice of `try_files`."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from edgescript.files.resolve import encoded, is_safe


class Present(NamedTuple):
    """A candidate that is there."""

    #: Its place among the candidates.
    number: int
    path: str
    size: int
    modified: int


#: How one of those that are there is chosen, by the names that Caddy gives the policies.
Policy = Callable[[Iterator[Present]], Present | None]
POLICIES: dict[str, Policy] = {
    "first_exist": lambda present: next(present, None),
    "smallest_size": lambda present: min(present, key=lambda one: one.size, default=None),
    "largest_size": lambda present: max(present, key=lambda one: one.size, default=None),
    "most_recently_modified": lambda present: max(present, key=lambda one: one.modified, default=None),
}


def normal(path: str) -> str | None:
    """
    A path that was put together from placeholders, with `.` and `..` applied and slashes merged; it never leaves the root.

    None if it means nothing: with a NUL, or a backslash.
    """
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    slash = "/" if kept and segments[-1] in ("", ".", "..") else ""
    tidy = "/" + "/".join(kept) + slash
    return tidy if is_safe(tidy) else None


def present(root: str, candidates: Iterable[str]) -> Iterator[Present]:
    """Those candidates below `root` that are there: files, or folders where the candidate ends with a slash."""
    for number, candidate in enumerate(candidates):
        path = normal(candidate)
        if path is None:
            continue
        try:
            status = os.stat(encoded(root.rstrip("/") + path))
        except (OSError, UnicodeEncodeError):
            # Whatever the reason: this one cannot be served, and the next is tried.
            continue
        if stat.S_ISDIR(status.st_mode) == path.endswith("/"):
            yield Present(number, path, status.st_size, status.st_mtime_ns)
