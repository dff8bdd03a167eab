"""
Going on with the program that is installed now: the supervisor's process becomes it, and keeps its number.

    the installed program is tried: can it read the configuration that is in use?
    what must not be lost (sockets, channels to the workers, what was counted) is written into a file in memory
    execve(2): the process is the new program, with the same descriptors and the same children
    the new program starts workers of its own on the same sockets; when they serve, the old ones end

So there is no moment at which nobody listens, and where the new workers do not start, the old ones go on.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from edgescript.runtime.bundle import Bundle, in_memory, read_memory

#: The environment's variable that names the descriptor of the file in memory.
VARIABLE = "EDGE_UPGRADE"
#: The same, of a program that is only to say whether it can take over: see `trial`.
TRIAL = "EDGE_TRIAL"
#: What is written there, and what workers are told, is understood by programs that have the same number here.
PROTOCOL = 1

#: Seconds that the installed program may take to be tried.
_PATIENCE = 60.0


def tried(bundle: Bundle) -> str:
    """
    The version of the installed program, if it can run a configuration.

    :raises RuntimeError: if it cannot; the message says why
    """
    try:
        done = _try(bundle)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeError(f"the installed program cannot be tried: {error}") from None
    try:
        found = json.loads(done.stdout)
        version, protocol, wrong = found["version"], found["protocol"], found["wrong"]
    except (ValueError, TypeError, LookupError):
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit code {done.returncode}"]
        raise RuntimeError(f"the installed program does not run: {lines[-1][:500]}") from None
    if protocol != PROTOCOL:
        raise RuntimeError(f"version {version} cannot take over from this one; stop this one, and start it")
    if wrong:
        raise RuntimeError(f"version {version} cannot run the configuration in use: {wrong}")
    return str(version)


def _try(bundle: Bundle) -> subprocess.CompletedProcess[bytes]:
    """By the command line that it will be started with, so that whatever is broken on the way there is found."""
    memory = in_memory("edgefile", bundle.as_data())
    try:
        return subprocess.run(  # noqa: S603  # our own program
            [sys.executable, *sys.orig_argv[1:]],
            env={**os.environ, TRIAL: str(memory)},
            pass_fds=[memory],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    finally:
        os.close(memory)


def become_installed(
    state: Mapping[str, Any], descriptors: Collection[int], blocked: Collection[signal.Signals]
) -> NoReturn:
    """
    Replace this process by the installed program.

    :param state: what it is told, for `inherited`
    :param descriptors: what stays open
    :param blocked: signals that wait until it can take them
    :raises OSError: if it cannot be; all is as it was then
    """
    memory = in_memory("upgrade", {**state, "protocol": PROTOCOL})
    passed = [memory, *descriptors]
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
        for descriptor in passed:
            os.set_inheritable(descriptor, True)
        sys.stdout.flush()
        sys.stderr.flush()
        environment = {**os.environ, VARIABLE: str(memory)}
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606
    finally:  # it returns only if it fails
        for descriptor in passed:
            os.set_inheritable(descriptor, False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, blocked)
        os.close(memory)


def inherited(environment: dict[str, str] | os._Environ[str]) -> dict[str, Any] | None:
    """What the program that this process was has left; None if it was none."""
    text = environment.pop(VARIABLE, "")
    if not text.isdigit():
        return None
    state: dict[str, Any] = read_memory(int(text))
    os.close(int(text))
    return state
