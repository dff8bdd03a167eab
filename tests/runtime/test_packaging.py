"""The unit of systemd is sound, and the server runs under what it forbids."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PACKAGING = Path(__file__).parents[2] / "packaging"
EDGE = Path(sys.executable).parent / "edge"

#: What `systemd-analyze security` gives at most, in tenths; a service that forbids nothing has 96.
EXPOSURE = 20

analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")


@pytest.fixture
def units(folder: Path) -> list[str]:
    """The units, with a program that is there."""
    for name in ("edge.service", "edge.socket"):
        (folder / name).write_text((PACKAGING / name).read_text().replace("/opt/edge/bin/edge", str(EDGE)))
    return [str(folder / "edge.service"), str(folder / "edge.socket")]


@analyze
def test_systemd_understands_the_units(units: list[str]) -> None:
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, timeout=60)
    assert [line for line in done.stderr.splitlines() if "edge.s" in line] == []
    assert done.returncode == 0


@analyze
def test_the_service_may_do_little(units: list[str]) -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", units[0]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


_PR_SET_MDWE, _PR_GET_MDWE = 65, 66


def _forbid_new_code() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_MDWE, 1, 0, 0, 0)


@pytest.mark.skipif(ctypes.CDLL(None).prctl(_PR_GET_MDWE, 0, 0, 0, 0) != 0, reason="Linux has it from 6.3 on")
def test_it_runs_where_memory_is_never_both_writable_and_executable(run: Any) -> None:
    server = run(':0 {\n    respond "one"\n}', options="workers 2", preexec_fn=_forbid_new_code)
    assert server.get() == "one"
    assert server.reload().is_good


def test_the_container_runs_a_command_that_there_is() -> None:
    text = (PACKAGING / "Containerfile").read_text()
    commands = [json.loads(line.partition("CMD ")[2]) for line in text.splitlines() if "CMD [" in line]
    for words in commands:
        name = next(word for word in words if word != "edge")
        done = subprocess.run([EDGE, name, "--help"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, name
    done = subprocess.run(
        [EDGE, "validate", str(PACKAGING / "Edgefile")],
        capture_output=True,
        timeout=60,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stderr
