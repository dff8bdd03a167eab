"""`edge run` as a process: started, asked, changed, stopped, and told what it cannot have."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

EDGE = Path(sys.executable).parent / "edge"
HELLO = '{\n    admin off\n}\n:0 {\n    respond "hello"\n}\n'

Start = Callable[..., "Running"]


class Running:
    """A started `edge run`; its standard error is read line by line."""

    def __init__(self, folder: Path, words: list[str]) -> None:
        self.process = subprocess.Popen([EDGE, "run", *words], cwd=folder, stderr=subprocess.PIPE, text=True)
        line = self.line()
        found = re.search(r"listening on (?:127\.0\.0\.1)?:(\d+)", line)
        if found is None:
            self.process.kill()
            self.process.communicate()
            raise AssertionError(line)
        self.port = int(found.group(1))

    def line(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.readline()

    def get(self, path: str = "/") -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as answer:
            return str(answer.read().decode())

    def stop(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `edge run` on an Edgefile."""
    started: list[Running] = []

    def start_one(text: str, *words: str) -> Running:
        (tmp_path / "Edgefile").write_text(text)
        started.append(Running(tmp_path, list(words)))
        return started[-1]

    yield start_one
    for running in started:
        running.process.kill()
        running.process.wait()
        assert running.process.stderr is not None
        running.process.stderr.close()


@pytest.mark.parametrize("engine", ["fast", "hypercorn"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_comes(start: Start, engine: str, number: signal.Signals) -> None:
    running = start(HELLO, "--engine", engine)
    assert running.get() == "hello"
    assert running.stop(number) == 0
    assert running.line() == ""


def test_a_changed_file_takes_over_and_a_wrong_one_does_not(start: Start, tmp_path: Path) -> None:
    running = start(HELLO, "--watch")
    file = tmp_path / "Edgefile"
    file.write_text(HELLO.replace("hello", "hello again"))
    assert running.line() == "edge: Edgefile was taken over\n"
    assert running.get() == "hello again"
    file.write_text(":0 {\n    nonsense\n}\n")
    lines = [running.line()]
    while not lines[-1].startswith("edge:"):
        lines.append(running.line())
    assert "E101" in lines[0]
    assert lines[-1] == "edge: Edgefile was not taken over; the server goes on as it was\n"
    assert running.get() == "hello again"


def test_relative_paths_start_at_the_edgefile(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "page.txt").write_text("a page\n")
    (tmp_path / "site" / "Edgefile").write_text("{\n    admin off\n}\n:0 {\n    files .\n}\n")
    running = Running(tmp_path, ["--config", "site/Edgefile"])
    try:
        assert running.get("/page.txt") == "a page\n"
        assert running.stop(signal.SIGTERM) == 0
    finally:
        running.process.kill()
        running.process.communicate()


def refused(tmp_path: Path, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "Edgefile").write_text(text)
    return subprocess.run([EDGE, "run", *words], cwd=tmp_path, capture_output=True, text=True, timeout=60)


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = refused(tmp_path, f'{{\n    admin off\n}}\n:{port} {{\n    respond "hello"\n}}\n')
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"edge: cannot listen on :{port}: the address is in use by another program"]


def test_a_file_with_errors_is_not_served(tmp_path: Path) -> None:
    done = refused(tmp_path, ":0 {\n    respnod\n}\n")
    assert done.returncode == 1
    assert "E101" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_without_sites_is_not_served(tmp_path: Path) -> None:
    done = refused(tmp_path, "# nothing yet\n")
    assert done.returncode == 1
    assert done.stderr == "edge: Edgefile has no site, so there is nothing to serve\n"


def test_standard_input_cannot_be_watched(tmp_path: Path) -> None:
    assert refused(tmp_path, HELLO, "--config", "-", "--watch").returncode == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_missing_permission_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "Edgefile").touch(mode=0)
    done = subprocess.run([EDGE, "run"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "edge: Edgefile: permission denied\n"


def test_the_programs_messages_go_where_the_file_says(start: Start, tmp_path: Path) -> None:
    text = "{\n admin off\n log {\n  output file edge.log\n }\n}\n:0 {\n log {\n  output file /dev/full\n }\n respond hello\n}"
    running = start(text)
    assert running.get() == "hello"
    assert running.stop(signal.SIGTERM) == 0
    (path,) = tmp_path.rglob("edge.log")
    told = [json.loads(line) for line in path.read_text().splitlines()]
    assert (told[0]["level"], told[0]["logger"]) == ("ERROR", "edgescript.observe")
    assert told[0]["message"].startswith("the log to /dev/full cannot be written: No space left on device")
    assert "cannot be written" in running.line(), "what an output says about itself is on standard error too"
