"""As a service of systemd: sockets that are passed, and what the manager is told."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgescript.runtime.notify import Notifier, inherited

SITE = ':{} {{\n    respond "one"\n}}'

#: Passes the number of the process on, as the manager does.
ACTIVATED = ["sh", "-c", 'LISTEN_PID=$$; export LISTEN_PID; exec "$@"', "sh"]


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, folder: Path) -> Iterator[socket.socket]:
    """What the manager listens with."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(folder / "notify") if request.param == "path" else f"\0edge-test-{os.getpid()}")
        made.settimeout(60)
        yield made


def address(manager: socket.socket) -> str:
    name = manager.getsockname()
    return f"@{name[1:].decode()}" if isinstance(name, bytes) else str(name)


def receive(manager: socket.socket, words: str) -> str:
    while words not in (told := manager.recv(4096).decode()):
        pass
    return told


def test_the_manager_is_told_how_the_server_is(run: Any, manager: socket.socket, reserve_port: Any) -> None:
    port = reserve_port()
    server = run(SITE.format(port), environment={"NOTIFY_SOCKET": address(manager), "WATCHDOG_USEC": "900000"})
    told = receive(manager, "READY=1")
    assert f"MAINPID={server.process.pid}" in told.splitlines()
    assert "STATUS=" in told
    assert receive(manager, "WATCHDOG=1") == "WATCHDOG=1"
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    server.process.send_signal(signal.SIGHUP)
    told = receive(manager, "RELOADING=1")
    assert int(told.partition("MONOTONIC_USEC=")[2]) >= before
    receive(manager, "READY=1")
    server.process.send_signal(signal.SIGTERM)
    receive(manager, "STOPPING=1")
    assert server.process.wait(60) == 0


def test_a_socket_that_is_passed_is_used_by_all_workers(run: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as passed:
        port = passed.getsockname()[1]
        # A connection that came before there was a server.
        early = socket.create_connection(("127.0.0.1", port))
        early.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        server = run(
            f"http://:{port} {{\n bind 127.0.0.1\n respond one\n}}",
            options="workers 2",
            command=[*ACTIVATED, str(_EDGE)],
            environment={"LISTEN_FDS": "1"},
            preexec_fn=lambda: os.dup2(passed.fileno(), 3),
            pass_fds=(3,),
        )
        assert early.recv(1000).startswith(b"HTTP/1.1 200 ")
        early.close()
        old = server.pids()
        server.process.send_signal(signal.SIGUSR2)
        server.wait_until_ready(without=old)
        assert server.get() == "one", "it is passed on to the next version, too"
        assert server.stop() == 0
        # It is the manager's: connections wait there for the next server.
        with socket.create_connection(("127.0.0.1", port)):
            pass


def test_a_real_manager_can_activate_it(folder: Path, reserve_port: Any) -> None:
    port = reserve_port()
    (folder / "Edgefile").write_text(f"{{\nadmin off\n}}\nhttp://:{port} {{\n bind 127.0.0.1\n respond one\n}}\n")
    command = ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", "-E", f"STATE_DIRECTORY={folder}/state"]
    try:
        process = subprocess.Popen([*command, str(_EDGE), "run"], cwd=folder, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        pytest.skip("systemd is not installed")
    try:
        answer = b""
        until = time.monotonic() + 60
        while not answer and time.monotonic() < until:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
                    client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                    answer = client.recv(1000)
            except ConnectionRefusedError:
                time.sleep(0.02)
        assert answer.startswith(b"HTTP/1.1 200 ")
    finally:
        process.terminate()
        assert process.wait(60) == 0


_EDGE = Path(os.path.dirname(os.sys.executable)) / "edge"  # type: ignore[attr-defined]


# ---- what is understood of the environment


def test_without_a_manager_nobody_is_told() -> None:
    notifier = Notifier.of({})
    notifier.send("READY=1")
    assert notifier.watchdog is None


def test_a_manager_that_is_gone_is_told_about_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    notifier = Notifier.of({"NOTIFY_SOCKET": str(folder / "gone")})
    notifier.send("READY=1")
    notifier.send("READY=1")
    assert [record.message for record in caplog.records] == [
        "the service manager cannot be told how we are: No such file or directory"
    ]


@pytest.mark.parametrize(
    ("environment", "watchdog"),
    [
        ({"WATCHDOG_USEC": "3000000"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_fed_where_it_is_ours(environment: dict[str, str], watchdog: float | None) -> None:
    assert Notifier.of(environment).watchdog == watchdog


def test_sockets_that_were_passed_to_another_process_are_left_alone() -> None:
    environment = {"LISTEN_FDS": "1", "LISTEN_PID": "1", "LISTEN_FDNAMES": "web"}
    assert inherited(environment) == []
    assert environment == {}
