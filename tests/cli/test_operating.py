"""The commands that talk to a running server."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

EDGE = Path(sys.executable).parent / "edge"
TEXT = "{{\n    admin unix//{folder}/admin.sock\n    workers 2\n}}\nhttp://:0 {{\n    respond {word}\n}}\n"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short name: the path of a unix socket has room for 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="edge-") as name:
        yield Path(name)


@pytest.fixture
def server(folder: Path) -> Iterator[subprocess.Popen[str]]:
    (folder / "Edgefile").write_text(TEXT.format(folder=str(folder)[1:], word="one"))
    environment = {**os.environ, "STATE_DIRECTORY": str(folder / "state")}
    with subprocess.Popen([EDGE, "run"], cwd=folder, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        assert "listening on" in process.stderr.readline()
        yield process
        process.send_signal(signal.SIGTERM)


def edge(folder: Path, *words: str) -> tuple[int, str, str]:
    done = subprocess.run([EDGE, *words], cwd=folder, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def test_a_server_is_looked_at_changed_and_stopped(server: subprocess.Popen[str], folder: Path) -> None:
    code, out, _ = edge(folder, "status")
    assert code == 0
    assert re.search(r"worker 1: ready since .*, process \d+", out)
    file = folder / "Edgefile"
    file.write_text(TEXT.format(folder=str(folder)[1:], word="two"))
    assert edge(folder, "reload") == (0, "configuration 2 is in use\n", "")
    sound = file.read_text()
    file.write_text(sound.replace("respond", "respnod"))
    code, out, err = edge(folder, "reload")
    assert (code, out) == (1, "")
    assert err.startswith("error[E101]")
    assert err.endswith("nothing has changed: the Edgefile has errors\n")
    code, out, _ = edge(folder, "status")
    assert "the last reload failed" in out
    code, out, _ = edge(folder, "rollback", "1")
    assert (code, out.splitlines()[0]) == (0, "configuration 3 is in use")
    code, out, _ = edge(folder, "history", "--address", f"unix/{folder}/admin.sock")
    assert [line.split()[0] for line in out.splitlines()] == ["3", "2", "1"]
    assert "rollback to 1" in out.splitlines()[0]
    assert edge(folder, "rollback", "9") == (1, "", "edge: there is no configuration 9 in the history\n")
    assert edge(folder, "stop") == (0, "the server is stopping\n", "")
    assert server.wait(60) == 0


@pytest.mark.parametrize("command", ["reload", "rollback", "upgrade", "stop", "status", "history"])
def test_where_no_server_is_that_is_one_line(call: Callable[..., Result], folder: Path, command: str) -> None:
    done = call(command, "--address", f"unix/{folder}/none.sock")
    assert done.exit_code == 1
    assert done.output == f"Error: no server answers at unix/{folder}/none.sock: no such file or directory\n"


def test_a_server_without_an_admin_address_cannot_be_asked(call: Callable[..., Result]) -> None:
    Path("Edgefile").write_text("{\n admin off\n}\n:80 {\n}\n")
    done = call("status")
    assert done.exit_code == 1
    assert "the server has no admin address" in done.output


def test_an_address_that_is_none_is_said_so(call: Callable[..., Result]) -> None:
    assert call("status", "--address", "https://example.com/x").exit_code == 2


@pytest.mark.parametrize("count", ["0", "-1", "many", "1025", "99999999"])
def test_a_number_of_workers_that_cannot_be_is_said_so(call: Callable[..., Result], count: str) -> None:
    done = call("run", "--workers", count)
    assert done.exit_code == 2
    assert "expected auto, or a number from 1 to 1024" in done.output
