"""Standard output and error as destinations of lines."""

from __future__ import annotations

import os
import select
from collections import deque

DESCRIPTORS = {"stdout": 1, "stderr": 2}


class Standard:
    """A stream of the process's, which somebody else may share."""

    def __init__(self, name: str) -> None:
        self._descriptor = DESCRIPTORS[name]

    def deliver(self, batch: deque[str]) -> None:
        write_lines(self._descriptor, batch)

    def reopen(self) -> None:
        """There is nothing to open."""

    def close(self) -> None:
        """The stream is not ours to close."""


def write_lines(descriptor: int, batch: deque[str], before: bytes = b"") -> None:
    """
    Write lines at once, and take off the batch those that are written whole.

    :raises OSError: if some could not be; `Torn` where the last one stopped inside a line
    """
    data = before + _encoded("".join(batch))
    written = 0
    try:
        while written < len(data):
            try:
                written += os.write(descriptor, memoryview(data)[written:])
            except BlockingIOError:
                # Another process may have made the shared stream non-blocking.
                select.select([], [descriptor], [])
    except OSError as error:
        written -= len(before)
        while batch and written >= (length := len(_encoded(batch[0]))):
            batch.popleft()
            written -= length
        if written > 0:
            raise Torn(error.errno, error.strerror) from error
        raise
    batch.clear()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


class Torn(OSError):
    """What was written last is not a whole line."""
