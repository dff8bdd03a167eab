"""Standard output and error as destinations of lines."""

from __future__ import annotations

import os
import select
import sys
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


#: What a pipe takes whole where it takes anything (POSIX: PIPE_BUF is at least 512; Linux has 4096).
_PIECE = getattr(select, "PIPE_BUF", 512)


class StandardError:
    """
    Standard error, written to at once: a message is there even if the process dies of what it says.

    Where somebody holds its other end and does not read, what is not taken is left out, because no request may wait for it.
    """

    def __init__(self) -> None:
        self._left_out = 0
        self._torn = False

    def write(self, text: str) -> None:
        try:
            descriptor = sys.stderr.fileno()
        except (OSError, ValueError):  # a text in memory
            descriptor = -1
        if descriptor < 0 or sys.platform == "win32":  # no select there
            sys.stderr.write(text)
            sys.stderr.flush()
            return
        told = f"edge: {self._left_out} messages were left out: nobody read them\n" if self._left_out else ""
        if self._is_taken(descriptor, _encoded("\n" * self._torn + told + text)):
            self._left_out, self._torn = 0, False
        else:
            self._left_out += 1

    def _is_taken(self, descriptor: int, data: bytes) -> bool:
        for at in range(0, len(data), _PIECE):
            if not select.select([], [descriptor], [], 0)[1]:
                return False
            try:
                os.write(descriptor, data[at : at + _PIECE])
            except OSError:  # the reader has gone, or the disk is full: there is nowhere to say so
                return False
            self._torn = True
        return True


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
