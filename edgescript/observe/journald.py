"""The journal of systemd by its native protocol: each line's fields can be searched for by name.

https://systemd.io/JOURNAL_NATIVE_PROTOCOL/. An entry is a datagram; one that is too large for that is written to a sealed
file in memory, and the file is sent.
"""

from __future__ import annotations

import array
import errno
import os
import re
import socket
import struct
from collections import deque

from edgescript.observe.entry import Entry
from edgescript.observe.network import TIMEOUT

SOCKET = "/run/systemd/journal/socket"
_NO_NAME = re.compile(r"[^A-Z0-9_]")
_TOO_LARGE = (errno.EMSGSIZE, errno.ENOBUFS)


def encoded(entry: Entry, identifier: str) -> bytes:
    """One entry as a datagram."""
    fields = [("MESSAGE", entry.text), ("PRIORITY", str(entry.severity)), ("SYSLOG_IDENTIFIER", identifier)]
    fields += [(name_of(name), value) for name, value, _ in entry.fields]
    if entry.trace_id:
        fields += [("TRACE_ID", entry.trace_id), ("SPAN_ID", entry.span_id)]
    return b"".join([_field(name, value.encode("utf-8", "replace")) for name, value in fields])


def name_of(field: str) -> str:
    """A field's name in the journal: our own prefix, so that it is no other program's."""
    return f"EDGE_{_NO_NAME.sub('_', field.upper())}"[:64]


def _field(name: str, value: bytes) -> bytes:
    if b"\n" in value:
        return b"%s\n%s%s\n" % (name.encode(), struct.pack("<Q", len(value)), value)
    return b"%s=%s\n" % (name.encode(), value)


class Journal:
    """The journal as a destination of entries."""

    def __init__(self, path: str = SOCKET, identifier: str = "edge") -> None:
        self._path = path
        self._identifier = identifier
        self._socket: socket.socket | None = None

    def deliver(self, batch: deque[Entry]) -> None:
        try:
            journal = self._connected()
            while batch:
                self._send(journal, encoded(batch[0], self._identifier))
                batch.popleft()
        except OSError:
            self.close()
            raise

    def _connected(self) -> socket.socket:
        if self._socket is None:
            made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            made.settimeout(TIMEOUT)
            try:
                made.connect(self._path)
            except OSError:
                made.close()
                raise
            self._socket = made
        return self._socket

    def _send(self, journal: socket.socket, data: bytes) -> None:
        try:
            journal.send(data)
        except OSError as error:
            if error.errno not in _TOO_LARGE:
                raise
            self._send_as_file(journal, data)

    def _send_as_file(self, journal: socket.socket, data: bytes) -> None:
        import fcntl

        descriptor = os.memfd_create("edge-journal", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.write(data)
            # The journal takes only what can no more be changed.
            seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
            rights = array.array("i", [descriptor])
            journal.sendmsg([b""], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        finally:
            os.close(descriptor)

    def reopen(self) -> None:
        self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
