"""What is done to a server: load by wrk, and connections that stay open and idle."""

from __future__ import annotations

import contextlib
import re
import selectors
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from machine import LOAD_CORE, NotMeasured, Server, pinned


@dataclass(frozen=True, slots=True)
class Load:
    """Requests for wrk: one URL path, or a Lua script that makes them."""

    path: str = "/"
    host: str = "bench.example"
    connections: int = 64
    #: More fields of the request, each as it is sent.
    fields: tuple[str, ...] = ()
    #: Called instead of `path` and `host` for every request: the body of Lua's `request = function() … end`.
    lua: str | None = None


def requests_per_cpu_second(
    server: Server, wrk: str, port: int, load: Load, *, seconds: float, directory: Path
) -> float:
    """
    How many requests the server answers with one second of processor time.

    :raises NotMeasured: if any answer was no success, or any connection failed
    """
    before = server.cpu_seconds()
    done = _wrk(wrk, port, load, seconds=seconds, directory=directory)
    spent = server.cpu_seconds() - before
    return done / max(spent, 0.01)


def requests_per_second(wrk: str, port: int, load: Load, *, seconds: float, directory: Path) -> float:
    """
    How many requests a server answers in a second by the clock on the wall.

    :raises NotMeasured: if any answer was no success, or any connection failed
    """
    return _wrk(wrk, port, load, seconds=seconds, directory=directory) / seconds


def _wrk(wrk: str, port: int, load: Load, *, seconds: float, directory: Path) -> int:
    command = _command(wrk, port, load, seconds=seconds, directory=directory)
    return _requests_in(
        subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=True).stdout
    )


@contextlib.contextmanager
def loaded(wrk: str, port: int, load: Load, *, directory: Path) -> Iterator[None]:
    """
    Load for as long as the block runs.

    :raises NotMeasured: if any answer was no success, or any connection failed
    """
    command = _command(wrk, port, load, seconds=3600, directory=directory)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            yield
            running.send_signal(signal.SIGINT)  # it tells what it has then
            output, _ = running.communicate(timeout=60)
        finally:
            running.kill()
    _requests_in(output)


def _command(wrk: str, port: int, load: Load, *, seconds: float, directory: Path) -> list[str]:
    command = [wrk, "-t1", f"-c{load.connections}", f"-d{seconds:g}s", "--timeout", "10s"]
    if load.lua is None:
        command += [word for field in (f"Host: {load.host}", *load.fields) for word in ("-H", field)]
    else:
        script = directory / "requests.lua"
        script.write_text(load.lua)
        command += ["-s", str(script)]
    return pinned([*command, f"http://127.0.0.1:{port}{load.path}"], LOAD_CORE)


def _requests_in(output: str) -> int:
    """What wrk says that it has done."""
    if wrong := re.search(r"(Non-2xx.*|Socket errors.*)", output):
        raise NotMeasured(f"wrk reports: {wrong.group(1)}")
    found = re.search(r"(\d+) requests in", output)
    if found is None or found.group(1) == "0":
        raise NotMeasured("wrk got no answer")
    return int(found.group(1))


def bytes_per_idle_connection(server: Server, port: int, *, count: int, path: str, host: str) -> float:
    """
    What an open connection costs that has had one answer and waits for the next request.

    The first hundred connections are part of the starting point: they pay for what the server allocates once.
    """
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        _open(stack, port, request, 100)
        before = server.memory()
        _open(stack, port, request, count)
        return (server.memory() - before) / count


def _open(stack: contextlib.ExitStack, port: int, request: bytes, count: int) -> None:
    """Open connections, hundreds at a time, each with one request answered."""
    for start in range(0, count, 100):
        waiting = selectors.DefaultSelector()
        batch = min(100, count - start)
        for _ in range(batch):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), 10))
            connection.sendall(request)
            waiting.register(connection, selectors.EVENT_READ)
        while batch:
            ready = waiting.select(10)
            if not ready:
                raise NotMeasured("an open connection got no answer within 10 s")
            for key, _ in ready:
                connection = key.fileobj  # type: ignore[assignment]  # only sockets are registered
                if not connection.recv(65536):
                    raise NotMeasured("the server closed an idle connection")
                waiting.unregister(connection)
                batch -= 1
        waiting.close()
