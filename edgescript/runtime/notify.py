"""What systemd is told, and what it gives: sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3)."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Mapping, MutableMapping

log = logging.getLogger("edgescript.runtime")

#: SD_LISTEN_FDS_START: the first descriptor that is passed.
_FIRST = 3
#: Descriptors that are looked at.
_MOST = 1024


class Notifier:
    """Tells the service manager how we are; nobody, where there is none."""

    def __init__(self, path: str = "", *, watchdog: float | None = None) -> None:
        """
        :param path: of the manager's socket; with an `@` in front, its abstract name
        :param watchdog: seconds within which the manager wants to hear of us
        """
        self._address = f"\0{path[1:]}" if path.startswith("@") else path
        self.watchdog = watchdog
        self._failing = False

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Notifier:
        path = environment.get("NOTIFY_SOCKET", "")
        return cls(path if path[:1] in ("/", "@") else "", watchdog=_watchdog(environment))

    def send(self, *lines: str) -> None:
        """Tell some assignments, `READY=1` and the like. It does not wait."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
                made.setblocking(False)
                made.sendto("\n".join(lines).encode(), self._address)
            self._failing = False
        except OSError as error:
            if not self._failing:
                self._failing = True
                log.warning("the service manager cannot be told how we are: %s", error.strerror)

    def ready(self, status: str) -> None:
        self.send("READY=1", f"STATUS={status}", f"MAINPID={os.getpid()}")

    def reloading(self) -> None:
        """`Type=notify-reload` wants the time, to tell this reload from one before."""
        self.send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        self.send("STOPPING=1", "STATUS=stopping")


def _watchdog(environment: Mapping[str, str]) -> float | None:
    wanted = environment.get("WATCHDOG_USEC", "")
    if not wanted.isdigit() or int(wanted) == 0:
        return None
    if environment.get("WATCHDOG_PID", "") not in ("", str(os.getpid())):
        return None
    return int(wanted) / 1_000_000


def inherited(environment: MutableMapping[str, str]) -> list[socket.socket]:
    """
    The listening sockets that were passed to this process, and no longer to those that it starts.

    What is no listening stream socket is left alone, and told.
    """
    count, pid = environment.pop("LISTEN_FDS", ""), environment.pop("LISTEN_PID", "")
    names = environment.pop("LISTEN_FDNAMES", "").split(":")
    if pid != str(os.getpid()) or not count.isdecimal():
        return []
    found = []
    for number in range(min(int(count[:9]), _MOST)):
        descriptor = _FIRST + number
        name = names[number] if number < len(names) else "unknown"
        try:
            made = socket.socket(fileno=descriptor)
        except OSError:
            log.warning("descriptor %d (%s), which was passed to us, is no socket", descriptor, name)
            continue
        if not made.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) or made.type != socket.SOCK_STREAM:
            log.warning("descriptor %d (%s), which was passed to us, does not listen", descriptor, name)
            made.detach()
            continue
        made.setblocking(False)
        os.set_inheritable(descriptor, False)
        found.append(made)
    return found
