"""`edge run` as processes: workers that are killed, stopped and replaced, and what reloads do to them."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

EDGE = Path(sys.executable).parent / "edge"
SITE = ':0 {\n    respond "one"\n}'


def site(port: int, word: str = "one") -> str:
    return f':{port} {{\n    respond "{word}"\n}}'


@pytest.fixture
def port(reserve_port: Callable[[], int]) -> int:
    return reserve_port()


@pytest.mark.parametrize("engine", ["fast", "hypercorn"])
def test_so_many_workers_serve_as_were_asked_for(run: Any, engine: str) -> None:
    server = run(SITE, "--workers", "3", "--engine", engine, options="workers 1")
    assert server.get() == "one"
    assert len(set(server.pids())) == 3
    assert server.stop() == 0


def test_a_killed_worker_costs_only_its_own_requests(run: Any, load: Any) -> None:
    server = run(SITE, options="workers 2")
    victim, other = server.pids()
    with load(server.port) as clients:
        clients.wait_for_more()
        os.kill(victim, signal.SIGKILL)
        server.wait_until_ready(without=[victim])
        failed = len(clients.failures)
        clients.wait_for_more()
    assert failed <= 4, "there are four clients, and each has at most one request in flight"
    assert len(clients.failures) == failed
    first, second = server.status()["workers"]
    assert first["restarts"] == 1
    assert first["reason"] == "was killed by SIGKILL"
    assert second["pid"] == other
    assert server.metric("edge_worker_restarts_total") == 1
    server.wait_for(f"worker 0 (process {victim}) was killed by SIGKILL; it is started anew")


def test_what_a_killed_worker_has_counted_stays(run: Any) -> None:
    server = run(SITE, options="workers 1")
    for _ in range(5):
        server.get()
    # A request is counted when its response is on the way, and so a moment later than it is read.
    _wait_for(lambda: server.metric("edge_http_requests_total") == 5)
    (victim,) = server.pids()
    os.kill(victim, signal.SIGKILL)
    server.wait_until_ready(without=[victim])
    server.get()
    _wait_for(lambda: server.metric("edge_http_requests_total") == 6)


def test_a_worker_that_does_not_answer_is_replaced(run: Any, load: Any) -> None:
    server = run(SITE, options="workers 2 {\nunresponsive 1s\n}")
    victim, _ = server.pids()
    os.kill(victim, signal.SIGSTOP)
    server.wait_until_ready(without=[victim])
    server.wait_for(f"worker 0 (process {victim}) did not answer for 1 s; it is started anew")


def test_new_connections_go_around_a_worker_that_does_not_answer(run: Any) -> None:
    server = run(SITE, options="workers 2 {\nunresponsive 1m\n}")
    victim, _ = server.pids()
    os.kill(victim, signal.SIGSTOP)
    try:
        until, in_a_row = time.monotonic() + 30, 0
        while in_a_row < 30:  # by chance, once in a billion
            assert time.monotonic() < until
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.settimeout(0.3)
                client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                try:
                    in_a_row = in_a_row + 1 if client.recv(100) else 0
                except TimeoutError:
                    in_a_row = 0
    finally:
        os.kill(victim, signal.SIGCONT)


def test_a_worker_may_be_restarted_gracefully(run: Any, load: Any) -> None:
    server = run(SITE, options="workers 2")
    victim, _ = server.pids()
    with load(server.port) as clients:
        clients.wait_for_more()
        os.kill(victim, signal.SIGTERM)
        server.wait_until_ready(without=[victim])
        clients.wait_for_more()
    assert clients.failures == []


def test_workers_end_when_their_supervisor_is_gone(run: Any) -> None:
    server = run(SITE, options="workers 2")
    pids = server.pids()
    server.process.kill()
    server.wait_for("(end)")  # they hold the other end of its standard error
    _wait_for(lambda: not any(map(_is_alive, pids)))


def _is_alive(pid: int) -> bool:
    """Whether it is no zombie, which whoever adopts orphans may take a while to bury."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_second_signal_cuts_off_what_is_in_flight(run: Any) -> None:
    server = run(":0 {\n request_body {\n max_size 1MB\n }\n respond one\n}", options="grace_period 1m\nworkers 2")
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nunfinished")
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        server.process.send_signal(signal.SIGTERM)
        _wait_for(lambda: not _is_listening(server.port))
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0


def _is_listening(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_a_graceful_stop_loses_no_request(run: Any, load: Any) -> None:
    server = run(SITE, options="workers 2")
    with load(server.port) as clients:
        clients.wait_for_more()
        assert server.stop() == 0
    others = [failure for failure in clients.failures if "ConnectionRefusedError" not in failure]
    assert others == [], "after the end connections are refused, and nothing else happens"


def test_a_worker_is_replaced_although_whoever_started_us_ignores_the_end_of_children(run: Any) -> None:
    server = run(SITE, options="workers 2", preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    victim, _ = server.pids()
    os.kill(victim, signal.SIGKILL)
    server.wait_until_ready(without=[victim])
    assert server.stop() == 0


def test_without_free_descriptors_nothing_changes_and_everything_goes_on(run: Any, port: int) -> None:
    server = run(site(port), options="workers 2")
    pid = server.process.pid
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    taken = max(int(name) for name in os.listdir(f"/proc/{pid}/fd"))
    victim, _ = server.pids()
    server.write(site(port, "two"))
    resource.prlimit(
        pid, resource.RLIMIT_NOFILE, (taken + 2, usual[1])
    )  # one for a configuration, none for its sockets
    server.process.send_signal(signal.SIGHUP)
    server.wait_for("Edgefile was not taken over: [Errno 24] Too many open files")
    server.process.send_signal(signal.SIGUSR2)
    server.wait_for("the program was not replaced: the installed program cannot be tried")
    os.kill(victim, signal.SIGKILL)
    server.wait_for("worker 0 cannot be started: [Errno 24] Too many open files")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
    server.wait_until_ready(without=[victim])
    assert server.get() == "one"
    assert server.reload().is_good
    assert server.get() == "two"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a namespace of processes")
def test_the_first_process_of_a_container_leaves_no_zombies(run: Any, folder: Path) -> None:
    (folder / "handlers.py").write_text(
        "import subprocess\n"
        "def orphans(request):\n"
        "    text = subprocess.run(['sh', '-c', 'sleep 0.1 >/dev/null & echo $!'], capture_output=True, text=True).stdout\n"
        "    return text.strip()\n"
    )
    apart = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if subprocess.run([*apart, "true"], capture_output=True).returncode != 0:
        pytest.skip("processes cannot have numbers of their own here")
    command = [*apart, str(EDGE)]
    server = run(":0 {\n    python handlers.py:orphans\n}", options="workers 1", command=command)
    (first,) = _children(server.process.pid)
    orphan = server.get()
    assert orphan.isdigit()
    _wait_for(lambda: len(_children(first)) == 1)  # the worker
    os.kill(first, signal.SIGTERM)
    assert server.process.wait(60) == 0


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


# ---- reloads


def test_a_file_with_errors_changes_nothing_and_is_told_where_it_was_asked_for(run: Any, port: int) -> None:
    server = run(site(port), options="workers 2")
    pids = server.pids()
    answer = server.reload(":80 {\n    respnod\n}")
    assert answer.status == 422
    assert json.loads(answer.text)["problems"][0]["code"] == "E101"
    assert server.get() == "one"
    assert server.pids() == pids
    assert server.metric("edge_config_reloads_total") == 1


def test_what_only_a_worker_finds_is_told_with_its_place(run: Any, folder: Any, port: int) -> None:
    server = run(site(port), options="workers 2")
    text = f":{port} {{\n    proxy https://127.0.0.1:1 {{\n    tls_trust_pool missing.pem\n    }}\n}}"
    answer = server.reload(text)
    assert answer.status == 422
    (problem,) = json.loads(answer.text)["problems"]
    assert (problem["code"], problem["file"]) == ("E205", "Edgefile")
    assert server.get() == "one"


def test_a_worker_that_dies_of_a_configuration_keeps_it_from_being_used(run: Any, port: int) -> None:
    server = run(site(port), options="workers 2 {\nunresponsive 1s\n}")
    victim, _ = server.pids()
    os.kill(victim, signal.SIGSTOP)
    answer = server.reload(site(port, "two"))
    assert answer.status == 409
    assert "did not answer for 1 s" in answer.text
    server.wait_until_ready(without=[victim])
    assert server.get() == "one"
    assert server.reload().is_good
    assert server.get() == "two"


def test_a_reload_that_nothing_comes_of_leaves_no_descriptors_with_the_workers(
    run: Any, reserve_port: Callable[[], int], port: int
) -> None:
    server = run(site(port), options="workers 1")
    (pid,) = server.pids()
    more = "\n".join(site(reserve_port()) for _ in range(3))
    broken = f"{more}\n:{port} {{\n    proxy https://127.0.0.1:1 {{\n    tls_trust_pool missing.pem\n    }}\n}}"
    assert server.reload(broken).status == 422
    before = len(os.listdir(f"/proc/{pid}/fd"))
    for _ in range(3):
        assert server.reload().status == 422
    assert len(os.listdir(f"/proc/{pid}/fd")) == before
    with pytest.raises(OSError, match="refused"):
        server.get(port=int(more.split()[0][1:]))


_SLOW = (
    "import pathlib, time\npathlib.Path('importing').touch()\ntime.sleep(1)\ndef answer(request):\n    return 'slow'\n"
)


def test_a_stop_in_the_middle_of_a_reload_is_a_clean_stop(
    run: Any, folder: Path, port: int, reserve_port: Callable[[], int]
) -> None:
    (folder / "slow.py").write_text(_SLOW)
    server = run(site(port), options="workers 2\ngrace_period 1s")
    server.write(f":{port} :{reserve_port()} {{\n    python slow.py:answer\n}}", "workers 3\ngrace_period 1s")
    server.process.send_signal(signal.SIGHUP)
    _wait_for((folder / "importing").exists)
    assert server.stop() == 0, "\n".join(server.lines)


def test_what_was_stopped_by_the_command_listens_no_more(run: Any, folder: Path) -> None:
    server = run(SITE, options="workers 2\ngrace_period 1s")
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")  # half a request, which the stop waits for
        done = subprocess.run([EDGE, "stop"], cwd=folder, capture_output=True, timeout=60)
    assert done.returncode == 0
    with pytest.raises(OSError, match="refused"):
        server.get()
    assert server.process.wait(60) == 0


def test_many_signals_during_a_reload_ask_for_one_more(run: Any, folder: Path, port: int) -> None:
    (folder / "slow.py").write_text(_SLOW)
    server = run(site(port), options="workers 1")
    server.write(f":{port} {{\n    python slow.py:answer\n}}")
    server.process.send_signal(signal.SIGHUP)
    _wait_for((folder / "importing").exists)
    server.write(site(port, "two"))
    for _ in range(20):
        server.process.send_signal(signal.SIGHUP)
        server.get()
    server.wait_until(lambda status: server.get() == "two", "the last file is taken over")
    assert server.metric("edge_config_reloads_total") <= 3


def test_a_changed_module_of_a_handler_is_taken_over(run: Any, folder: Path, port: int) -> None:
    (folder / "words.py").write_text("word = 'one'\n")
    (folder / "handlers.py").write_text("import words\ndef answer(request):\n    return words.word\n")
    server = run(f":{port} {{\n    python handlers.py:answer\n}}", "--watch", options="workers 2")
    assert server.get() == "one"
    for word in ("two", "three"):
        (folder / "words.py").write_text(f"word = '{word}'\n")
        server.wait_until(lambda status, word=word: server.get() == word, "the module is loaded anew")
    (folder / "words.py").write_text("word = \n")
    server.wait_for("Edgefile was not taken over")
    assert server.get() == "three"
    (folder / "words.py").write_text("word = 'four'\n")
    server.wait_until(lambda status: server.get() == "four", "the mended module is loaded")


def test_addresses_come_and_go(run: Any, reserve_port: Callable[[], int]) -> None:
    first, second = reserve_port(), reserve_port()
    server = run(site(first), options="workers 2")
    assert server.reload(f"{site(first)}\n{site(second, 'two')}").is_good
    assert server.get(port=second) == "two"
    assert server.reload(site(second, "two")).is_good
    with pytest.raises(OSError, match="refused"):
        server.get(port=first)
    assert server.status()["addresses"] == [f":{second}"]


def test_an_address_that_cannot_be_had_changes_nothing(run: Any, port: int) -> None:
    server = run(site(port), options="workers 2")
    with socket.create_server(("0.0.0.0", 0)) as taken:
        other = taken.getsockname()[1]
        answer = server.reload(f"{site(port, 'two')}\n{site(other)}")
    assert answer.status == 409
    assert f"cannot listen on :{other}: the address is in use by another program" in answer.text
    assert server.get() == "one"


def test_the_number_of_workers_changes_without_a_failed_request(run: Any, load: Any, port: int) -> None:
    server = run(site(port), options="workers 1")
    with load(server.port) as clients:
        for count in (3, 1, 2):
            assert server.reload(site(port), f"workers {count}").is_good
            clients.wait_for_more()
            assert len(server.wait_until_ready()) == count
        clients.wait_for_more()
    assert clients.failures == []


def test_sighup_reloads(run: Any, port: int) -> None:
    server = run(site(port), options="workers 2")
    server.write(site(port, "two"))
    server.process.send_signal(signal.SIGHUP)
    server.wait_for("Edgefile was taken over")
    assert server.get() == "two"


def test_a_changed_file_is_taken_over_with_what_it_imports(run: Any, folder: Any, port: int) -> None:
    (folder / "site.edge").write_text(site(port))
    server = run("import site.edge", "--watch", options="workers 2")
    assert server.get() == "one"
    (folder / "site.edge").write_text(site(port, "two"))
    server.wait_for("Edgefile was taken over")
    assert server.get() == "two"


def test_a_rollback_puts_an_earlier_configuration_to_use_and_leaves_the_file_alone(
    run: Any, folder: Any, port: int
) -> None:
    (folder / "site.edge").write_text(site(port))
    server = run("import site.edge", options="workers 2")
    (folder / "site.edge").write_text(site(port, "two"))
    assert server.reload().is_good
    assert server.get() == "two"
    written = server.file.read_text()
    assert server.client.ask("POST", "/rollback").is_good
    assert server.get() == "one", "what was imported is part of it"
    assert (folder / "site.edge").read_text() == site(port, "two")
    assert server.file.read_text() == written
    sources = [past["source"] for past in server.client.ask("GET", "/config?history").data]
    assert sources == ["rollback to 1", "admin", "start"]
    assert server.client.ask("POST", "/rollback?number=99").status == 404


def test_log_files_are_opened_anew_on_a_signal(run: Any, folder: Any) -> None:
    log = folder / "access.log"
    server = run(f":0 {{\n log {{\n output file {log}\n }}\n respond one\n}}", options="workers 2")
    server.get("/before")
    _wait_for(lambda: log.exists() and "/before" in log.read_text())
    log.rename(folder / "moved.log")
    server.process.send_signal(signal.SIGUSR1)
    server.get("/after")
    _wait_for(lambda: log.exists() and "/after" in log.read_text())


def _wait_for(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_websockets_live_on_while_workers_and_configurations_come_and_go(
    run: Any, port: int, websocket_echo: int
) -> None:
    text = f":{port} {{\n    proxy 127.0.0.1:{websocket_echo}\n}}"
    server = run(text, options="workers 2")
    with contextlib.ExitStack() as stack:
        open_ones = [
            stack.enter_context(connect(f"ws://127.0.0.1:{port}/", open_timeout=60, close_timeout=60))
            for _ in range(20)
        ]
        for count in (3, 2, 3, 2):  # the third worker has none of them
            assert server.reload(f"{text}\n# {count}", f"workers {count}").is_good
            server.wait_until_ready()
        for one in open_ones:
            one.send("still there")
            assert one.recv(timeout=60) == "still there"


# ---- what is told of all workers


def test_log_lines_of_all_workers_can_be_followed(run: Any, folder: Any) -> None:
    server = run(f":0 {{\n log {{\n output file {folder}/access.log\n }}\n respond one\n}}", options="workers 2")
    connection = server.client._connection()
    connection.request("GET", "/logs")
    answer = connection.getresponse()
    asking = threading.Event()

    def ask() -> None:  # again and again: the workers hear a moment later that somebody listens
        while not asking.wait(0.01):
            server.get()

    thread = threading.Thread(target=ask)
    thread.start()
    seen: set[str] = set()
    while len(seen) < 20:
        line = answer.readline().decode()
        seen |= {line} if line.startswith("data:") else set()
    asking.set()
    thread.join()
    connection.close()
    assert {json.loads(line[5:])["uri"] for line in seen} == {"/"}


def test_the_metrics_directive_tells_of_all_workers(run: Any) -> None:
    server = run(":0 {\n metrics /metrics\n respond one\n}", options="workers 2")
    for _ in range(20):
        server.get()

    def counted() -> float:
        lines = [line for line in server.get("/metrics").splitlines() if line.startswith("edge_http_requests_total{")]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    _wait_for(lambda: counted() >= 20)


def test_messages_of_all_processes_go_where_the_configuration_says(run: Any, folder: Any, port: int) -> None:
    server = run(site(port), options="workers 2")
    told = len(server.lines)
    log = folder / "edge.log"
    assert server.reload(site(port), f"workers 2\nlog {{\nformat json\noutput file {log}\n}}").is_good
    os.kill(server.pids()[0], signal.SIGKILL)
    _wait_for(lambda: log.exists() and "was killed by SIGKILL" in log.read_text())
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    assert {entry["logger"] for entry in entries} == {"edgescript.runtime"}
    assert server.reload(site(port), "workers 2").is_good
    server.wait_for("Edgefile was taken over", since=told)
