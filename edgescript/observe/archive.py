"""Old files of a log: what they are called, how they are compressed, and which of them are deleted.

`access.log` becomes `access-2026-01-31T12-00-00.250.log`, in UTC, and `.gz` or `.zst` behind it once it is compressed. Any
process may do any of this at any time: who compresses a file holds its lock, and a file that is gone was another's work.
"""

from __future__ import annotations

import calendar
import contextlib
import os
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from edgescript.observe.file import Rotation

_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d)\.(\d{3})(?:-\d+)?")
_SUFFIXES = {"gzip": ".gz", "zstd": ".zst", "off": ""}
_CHUNK = 256 * 1024


class Old(NamedTuple):
    """An old file."""

    #: When it was turned over, in seconds since 1970.
    when: float
    path: str
    is_compressed: bool


def name_for(path: str, now: float) -> str:
    """What a file that is turned over now is called; nothing else is."""
    stem, end = os.path.splitext(path)
    stamp = f"{time.strftime('%Y-%m-%dT%H-%M-%S', time.gmtime(now))}.{int(now % 1 * 1000):03d}"
    number = 0
    while True:
        name = f"{stem}-{stamp}{f'-{number}' if number else ''}{end}"
        if not any(os.path.lexists(name + suffix) for suffix in _SUFFIXES.values()):
            return name
        number += 1


def old_files(path: str) -> list[Old]:
    """The old files of a log, the newest first."""
    folder, name = os.path.split(path)
    stem, end = os.path.splitext(name)
    found = []
    for entry in os.scandir(folder or "."):
        plain = entry.name.removesuffix(".gz").removesuffix(".zst")
        if not (plain.startswith(f"{stem}-") and plain.endswith(end)):
            continue
        stamp = _STAMP.fullmatch(plain[len(stem) + 1 : len(plain) - len(end)])
        if stamp is None:
            continue
        with contextlib.suppress(ValueError):  # digits that are no time: not ours
            when = calendar.timegm(time.strptime(stamp[1], "%Y-%m-%dT%H-%M-%S")) + int(stamp[2]) / 1000
            found.append(Old(when, entry.path, plain != entry.name))
    return sorted(found, reverse=True)


def superfluous(files: list[Old], rotation: Rotation, now: float) -> list[Old]:
    """Those of the old files, the newest first, that are not kept."""
    return [
        old
        for number, old in enumerate(files)
        if (rotation.keep is not None and number >= rotation.keep)
        or (rotation.keep_for is not None and now - old.when > rotation.keep_for)
    ]


def tidy(path: str, rotation: Rotation, wall: Callable[[], float]) -> None:
    """Delete old files that are not kept, and compress the others; whatever fails is said, and tried at the next turn."""
    import logging

    try:
        files = old_files(path)
        gone = superfluous(files, rotation, wall())
        for old in gone:
            _delete(old.path)
        for old in files:
            if old not in gone and not old.is_compressed and rotation.compress != "off":
                compress(old.path, rotation.compress)
    except (OSError, ImportError) as error:
        logging.getLogger("edgescript.observe").error("old files of the log %s are left as they are: %s", path, error)


def compress(path: str, method: str) -> None:
    """
    Put a compressed file in the place of a plain one.

    :raises OSError: if it cannot be written; the plain one is still there then
    """
    try:
        source = open(path, "rb")  # noqa: SIM115  # closed below
    except FileNotFoundError:
        return
    with source:
        if not _is_ours(source.fileno(), path):
            return
        partial = f"{path}{_SUFFIXES[method]}.partial"
        mode = os.fstat(source.fileno()).st_mode & 0o777
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        try:
            with os.fdopen(descriptor, "wb") as target, _compressing(target, method) as compressing:
                while chunk := source.read(_CHUNK):
                    compressing.write(chunk)
            os.rename(partial, path + _SUFFIXES[method])
        except BaseException:
            _delete(partial)
            raise
        _delete(path)


def _is_ours(descriptor: int, path: str) -> bool:
    """Whether nobody else compresses the file, or has done so."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return os.path.exists(path)


def _compressing(target: BinaryIO, method: str) -> BinaryIO:
    if method == "gzip":
        import gzip

        return gzip.GzipFile("", "wb", 6, target, 0)  # type: ignore[return-value]
    from backports import zstd

    return zstd.ZstdFile(target, "w")  # type: ignore[return-value]


def _delete(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):  # another process was quicker
        os.unlink(path)
