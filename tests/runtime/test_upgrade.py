"""`edge upgrade` with an installation that the tests change: the program that goes on is the one that is there by then."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EDGE = Path(sys.executable).parent / "edge"
SITE = ':0 {\n    respond "one"\n}'


@pytest.fixture
def server(run: Any, installed: Path) -> Any:
    return run(SITE, options="workers 2", environment={"PYTHONPATH": str(installed)})


def change(installed: Path, module: str, old: str, new: str) -> None:
    file = installed / "edgescript" / module
    text = file.read_text()
    assert re.search(old, text, re.MULTILINE), text
    file.write_text(re.sub(old, new, text, count=1, flags=re.MULTILINE))


def install_version(installed: Path, version: str) -> None:
    change(installed, "version.py", r'^__version__ = ".*"', f'__version__ = "{version}"')


def edge(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([EDGE, *words], cwd=folder, capture_output=True, text=True, timeout=120)


def test_another_version_takes_over_without_a_failed_request(
    server: Any, installed: Path, folder: Path, load: Any
) -> None:
    assert server.reload().is_good
    old = server.pids()
    with load(server.port) as clients:
        clients.wait_for_more()
        install_version(installed, "9.9.9")
        done = edge(folder, "upgrade")
        assert (done.stdout, done.stderr, done.returncode) == ("version 9.9.9 has taken over\n", "", 0)
        clients.wait_for_more()
    assert clients.failures == []
    status = server.status()
    assert status["version"] == "9.9.9"
    assert status["pid"] == server.process.pid, "service managers and containers know it by its number"
    assert not {worker["pid"] for worker in status["workers"]} & set(old)
    server.wait_until(
        lambda status: server.metric("edge_http_requests_total") >= clients.answered, "what was counted is not lost"
    )
    assert server.metric("edge_config_reloads_total") == 1
    assert server.stop() == 0
    told = "\n".join(server.lines)
    assert "Traceback" not in told
    assert "metrics" not in told


def test_a_program_that_does_not_run_is_not_gone_over_to(server: Any, installed: Path, folder: Path) -> None:
    old = server.pids()
    change(installed, "version.py", "^__version__", 'raise RuntimeError("half installed")\n__version__')
    done = edge(folder, "upgrade")
    assert done.returncode == 1
    assert (
        "the program was not replaced: the installed program does not run: RuntimeError: half installed" in done.stderr
    )
    assert server.get() == "one"
    assert server.pids() == old


@pytest.mark.parametrize("module", ["cli/commands/run.py", "cli/main.py", "runtime/worker.py"])
def test_a_program_that_cannot_be_started_is_not_gone_over_to(server: Any, installed: Path, module: str) -> None:
    with (installed / "edgescript" / module).open("a") as file:
        file.write("def (\n")
    server.process.send_signal(signal.SIGUSR2)
    server.wait_for("the program was not replaced: the installed program does not run")
    assert server.get() == "one"
    assert server.status()["version"] == "0.1.0"


def test_a_server_that_can_keep_no_history_can_be_upgraded(run: Any, folder: Path) -> None:
    server = run(SITE, options="workers 1", environment={"STATE_DIRECTORY": "/proc/there/is/none"})
    done = edge(folder, "upgrade")
    assert (done.returncode, done.stderr) == (0, "")
    assert server.status()["config"]["number"] == 1
    assert server.stop() == 0
    assert "Traceback" not in "\n".join(server.lines)


def test_a_program_that_cannot_read_the_configuration_is_not_gone_over_to(server: Any, installed: Path) -> None:
    (installed / "edgescript" / "directives" / "respond.py").unlink()
    server.process.send_signal(signal.SIGUSR2)
    server.wait_for("the program was not replaced: version 0.1.0 cannot run the configuration in use")
    assert server.get() == "one"


def test_where_new_workers_cannot_serve_the_old_ones_go_on(
    server: Any, installed: Path, folder: Path, load: Any
) -> None:
    old = server.pids()
    install_version(installed, "9.9.9")
    change(installed, "runtime/worker.py", "^    number, engine, descriptor, segment = .*", "    os._exit(7)")
    with load(server.port) as clients:
        done = edge(folder, "upgrade")
        assert done.returncode == 1
        assert "workers of version 9.9.9 cannot serve, those of 0.1.0 go on: worker" in done.stderr
        clients.wait_for_more()
    assert clients.failures == []
    assert server.pids() == old
    # They are still workers like any other.
    assert server.reload('http://:0 {\n    respond "two"\n}').is_good
    assert server.get() == "two"


def test_a_worker_that_cannot_be_started_is_tried_again_and_again(server: Any, installed: Path) -> None:
    victim, other = server.pids()
    file = installed / "edgescript" / "runtime" / "worker.py"
    sound = file.read_text()
    change(installed, "runtime/worker.py", "^    number, engine, descriptor, segment = .*", "    os._exit(7)")
    os.kill(victim, signal.SIGKILL)
    for pause in ("0.1", "0.2", "0.4"):
        server.wait_for(f"ended with exit code 7; it is started anew in {pause} s")
    assert server.get() == "one", "the other serves"
    file.write_text(sound)
    pids = server.wait_until_ready(without=[victim])
    assert other in pids
