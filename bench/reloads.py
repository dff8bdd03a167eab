"""How long a reload keeps a client waiting: one that asks again and again, beside others that load the server."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from load import Load, loaded
from machine import NotMeasured, Server, running
from probes import Effort, Open, Probe
from servers import Place, edge, edge_loaded, path_of

_REQUEST = b"GET /api/things HTTP/1.1\r\nHost: bench.example\r\n\r\n"
_LOAD = Load("/api/things", connections=8)
#: Reloads for each second of effort: a thousand in a full run.
_RELOADS = 111
#: Seconds that are watched behind the switch, when what is old is put away.
_AFTERMATH = 0.05
_PATIENCE = 30.0


def pause(quantile: float, *, reload: bool = True) -> Open:
    """
    Milliseconds of the longest gap between two answers during a reload: what that part of the reloads stays below.

    :param reload: without it, of the same time and load in which nothing else happens
    """

    @contextlib.contextmanager
    def open_(place: Place, effort: Effort) -> Iterator[Probe]:
        with running(lambda: edge(edge_loaded("0%"))(place)) as (server, port):
            client = _Client(server, port, place)

            def probe() -> float:
                with loaded(path_of(place, "wrk"), port, _LOAD, directory=place.directory), client.connected():
                    gaps = sorted(client.longest_gap(reload=reload) for _ in range(int(_RELOADS * effort.seconds)))
                return gaps[min(int(len(gaps) * quantile), len(gaps) - 1)] * 1000

            yield probe

    return open_


class _Client:
    """Makes one request after the other, and has the server reload."""

    _connection: socket.socket

    def __init__(self, server: Server, port: int, place: Place) -> None:
        self._server = server
        self._file: Path = place.directory / "Edgefile"
        self._text = self._file.read_text()
        self._version = 0
        self._port = port

    @contextlib.contextmanager
    def connected(self) -> Iterator[None]:
        with socket.create_connection(("127.0.0.1", self._port), timeout=_PATIENCE) as self._connection:
            yield

    def longest_gap(self, *, reload: bool) -> float:
        """Have it take another configuration over, and give the seconds of the longest gap until that is done with."""
        begun = last = time.perf_counter()
        wanted = self._have_it_reload() if reload else self._ask()
        longest, until, done = 0.0, begun + _PATIENCE, False
        while last < until:
            version = self._ask()
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
            if not done and version == wanted:
                done, until = True, now + _AFTERMATH
        if not done:
            raise NotMeasured("a reload was not done in time")
        return longest

    def _have_it_reload(self) -> bytes:
        """The name of the configuration that it takes over."""
        self._version += 1
        self._file.write_text(self._text.replace("X-Served-By bench", f"X-Served-By bench-{self._version}"))
        self._server.tell(signal.SIGHUP)
        return b"bench-%d" % self._version

    def _ask(self) -> bytes:
        """Which configuration answers."""
        self._connection.sendall(_REQUEST)
        answer = b""
        while not answer.endswith(b"."):
            piece = self._connection.recv(4096)
            if not piece:
                raise NotMeasured("the connection was closed")
            answer += piece
        found = re.match(rb"HTTP/1\.1 200 .*?\r\nx-served-by: ([^\r]*)\r", answer, re.DOTALL | re.IGNORECASE)
        if found is None:
            raise NotMeasured(f"an answer is no success: {answer[:100]!r}")
        return found[1]
