"""Syslog by RFC 5424, over UDP (RFC 5426), TCP (RFC 6587, octets counted), TLS (RFC 5425) and unix sockets.

`message` is a function of values. A message is never longer than the receiver is known to take: it is cut, and what is cut
off is lost.
"""

from __future__ import annotations

import os
import re
import socket
import time
from collections import deque
from dataclasses import dataclass

from edgescript.observe.entry import Entry
from edgescript.observe.network import Address, connect, is_closed_by_peer

#: RFC 5424, 6.2.1, by the names that syslog.conf uses.
FACILITIES = {
    name: number
    for number, name in enumerate((
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
        "security", "console", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
    ))
}  # fmt: skip
#: "Printable US-ASCII" without what ends or divides (RFC 5424, 6).
_UNPRINTABLE = re.compile(r"[^!-~]")
_NO_PARAM_NAME = re.compile(r'[^!-~]|[=\]"]')
_BOM = b"\xef\xbb\xbf"
#: Octets that a datagram carries over IPv4 at most.
_MOST_IN_DATAGRAM = 65_507


@dataclass(frozen=True, slots=True)
class Form:
    """What all messages of one output have in common."""

    facility: int
    app_name: str
    #: Of the element that holds a line's fields, as `name@enterprise-number`; None for no such element.
    structured_data: str | None = None
    #: Octets of a message.
    most: int = 8192
    hostname: str = "-"
    process: str = "-"


def message(entry: Entry, form: Form, number: int) -> bytes:
    """
    One message, without what frames it.

    :param number: counts the messages of this process, so that a receiver can see whether some are missing
    """
    priority = form.facility * 8 + entry.severity
    header = (
        f"<{priority}>1 {_timestamp(entry.when)} {_printable(form.hostname, 255)} {_printable(form.app_name, 48)}"
        f" {_printable(form.process, 128)} -"
    )
    # RFC 5424, 7.3.1: the number starts at 1 and again behind its greatest value.
    elements = f'[meta sequenceId="{(number - 1) % 2_147_483_647 + 1}"]'
    if form.structured_data is not None and entry.fields:
        elements += _element(form.structured_data, entry.fields)
    text = entry.text
    # RFC 5424, 6.4: UTF-8 is announced. ASCII needs no announcement, and many receivers show it.
    body = text.encode("ascii") if text.isascii() else _BOM + text.encode("utf-8", "replace")
    return _cut(f"{header} {elements} ".encode() + body, form.most)


def _element(name: str, fields: tuple[tuple[str, str, bool], ...]) -> str:
    params = "".join(
        f' {_NO_PARAM_NAME.sub("_", field)[:32]}="{_param_value(value)}"' for field, value, _ in fields if field
    )
    return f"[{name}{params}]"


def _param_value(text: str) -> str:
    """RFC 5424, 6.3.3: three characters are escaped; control characters are allowed there, and kept out all the same."""
    plain = "".join(char if char.isprintable() else " " for char in text)
    return plain.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def _cut(data: bytes, most: int) -> bytes:
    """At most so many octets, and no half character."""
    if len(data) <= most:
        return data
    while most and data[most] & 0xC0 == 0x80:
        most -= 1
    return data[:most]


def _timestamp(when: float) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(when))}.{int(when % 1 * 1000):03d}Z"


def _printable(text: str, most: int) -> str:
    return _UNPRINTABLE.sub("_", text)[:most] or "-"


class Syslog:
    """A receiver of syslog as a destination of entries."""

    def __init__(self, address: Address, form: Form) -> None:
        self._address = address
        self._form = form
        self._connection: socket.socket | None = None
        self._keeps_apart = False
        self._number = 0
        self._is_complete = False

    def deliver(self, batch: deque[Entry]) -> None:
        try:
            connection = self._connected()
            while batch:
                self._send(connection, self._framed(batch[0]))
                batch.popleft()
                self._number += 1
        except OSError:
            self.close()
            raise

    def _connected(self) -> socket.socket:
        if self._connection is not None and not self._keeps_apart and is_closed_by_peer(self._connection):
            self.close()
        if self._connection is None:
            self._connection, self._keeps_apart = connect(self._address)
        if not self._is_complete:
            # Only here, because the name of the host and the process may be others than when the Edgefile was read.
            form = self._form
            self._form = Form(
                form.facility, form.app_name, form.structured_data, form.most, socket.gethostname(), str(os.getpid())
            )
            self._is_complete = True
        return self._connection

    def _framed(self, entry: Entry) -> bytes:
        data = message(entry, self._form, self._number + 1)
        if self._keeps_apart:
            return _cut(data, _MOST_IN_DATAGRAM)
        if self._address.scheme == "unix":
            return data.replace(b"\n", b"\\n") + b"\n"  # a line's end is a message's, as with the C library
        return b"%d %s" % (len(data), data)

    def _send(self, connection: socket.socket, data: bytes) -> None:
        if self._keeps_apart:
            connection.send(data)
        else:
            connection.sendall(data)

    def reopen(self) -> None:
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
