"""Processes of a benchmark: started on one core, measured by what the kernel says about them, ended by their id."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")

SERVER_CORE = 0
LOAD_CORE = 1


class NotMeasured(Exception):
    """Why a contender has no figure."""


def processor() -> str:
    """The processor's name, as the kernel gives it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown processor"


def allow_many_files() -> None:
    """Let this process, and those it starts, have as many open files as they may."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pinned(command: list[str], core: int | None) -> list[str]:
    """The command, held to one core where there are several; None: to none."""
    if core is None or shutil.which("taskset") is None or (os.cpu_count() or 1) < 2:
        return command
    return ["taskset", "-c", str(core), *command]


class Server:
    """A started server, with its children."""

    def __init__(
        self, command: list[str], *, core: int | None, log: Path, environment: dict[str, str] | None = None
    ) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                pinned(command, core),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_clean(environment or {}),
                start_new_session=True,
            )

    def wait_for(self, port: int, *, seconds: float = 60) -> None:
        """
        Wait until it listens.

        :raises NotMeasured: if it ends before, or does not within the time
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise NotMeasured(f"it ended at once: {self._last_words()}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.05)
        raise NotMeasured(f"it did not listen within {seconds:.0f} s: {self._last_words()}")

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "it said nothing"

    def tell(self, number: signal.Signals) -> None:
        """Send its own process, and none of its children, a signal."""
        os.kill(self._process.pid, number)

    def processes(self) -> list[int]:
        """Its process and all descendants."""
        parents: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (fields := _stat(int(entry.name))):
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
        found = [self._process.pid]
        for pid in found:
            found.extend(parents.get(pid, ()))
        return found

    def cpu_seconds(self) -> float:
        """User and system time of all its processes so far."""
        return sum(int(fields[11]) + int(fields[12]) for pid in self.processes() if (fields := _stat(pid))) / TICKS

    def memory(self) -> int:
        """Resident bytes of all its processes."""
        return sum(int(fields[21]) for pid in self.processes() if (fields := _stat(pid))) * PAGE

    def stop(self) -> None:
        """End it and its children, and wait until it has ended."""
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from `state` on (proc(5) numbers them from 3), or None where the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


@contextlib.contextmanager
def running(start: Callable[[], tuple[Server, int]]) -> Iterator[tuple[Server, int]]:
    """Start a server, wait until it listens, and stop it at the end."""
    server, port = start()
    try:
        server.wait_for(port)
        yield server, port
    finally:
        server.stop()


def _clean(more: dict[str, str]) -> dict[str, str]:
    """Our environment, but what is measured may keep its bytecode, as wherever it is installed."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | more


def wall_seconds(command: list[str], *, directory: Path) -> float:
    """How long a command takes, held to the server's core."""
    started = time.perf_counter()
    done = subprocess.run(
        pinned(command, SERVER_CORE),
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=_clean({}),
    )
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise NotMeasured(f"exit code {done.returncode}: {done.stderr.strip()[-300:]}")
    return seconds
