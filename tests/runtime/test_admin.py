"""The admin address of a real server: its supervisor, its workers, and what people ask of them with curl and a browser."""

from __future__ import annotations

import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.admin.browser import Page, program

EDGE = Path(sys.executable).parent / "edge"
TOKEN = "an-admin-token-0123456789"
SITE = ':0 {\n    log\n    respond "one"\n}'


class Upstream(http.server.ThreadingHTTPServer):
    """A server behind, which says its port."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = str(self.server.server_address[1]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def behind() -> Iterator[list[Upstream]]:
    made = [Upstream(), Upstream()]
    yield made
    for one in made:
        one.shutdown()
        one.server_close()


@pytest.fixture
def proxying(run: Any, behind: list[Upstream]) -> Callable[..., Any]:
    addresses = " ".join(f"127.0.0.1:{one.server_port}" for one in behind)
    text = f":0 {{\n    proxy {addresses} {{\n        balance round_robin\n    }}\n}}"
    return lambda **more: run(text, options="workers 2", **more)


def asked(server: Any, count: int = 24) -> Counter[int]:
    """How many of some requests each server behind has answered; each comes on a connection of its own."""
    return Counter(int(server.get()) for _ in range(count))


def share(server: Any, upstream: Upstream, **change: Any) -> None:
    answer = server.client.ask("POST", "/upstreams", value={"address": f"127.0.0.1:{upstream.server_port}", **change})
    assert answer.is_good, answer.text


def test_a_drained_server_gets_nothing_until_it_is_used_again(
    proxying: Callable[..., Any], behind: list[Upstream]
) -> None:
    server = proxying()
    drained, other = behind
    assert set(asked(server)) == {drained.server_port, other.server_port}
    share(server, drained, drained=True)
    assert set(asked(server)) == {other.server_port}
    assert server.reload().is_good
    assert set(asked(server)) == {other.server_port}
    for victim in server.pids():
        os.kill(victim, signal.SIGKILL)
        server.wait_until_ready(without=[victim])
        assert set(asked(server)) == {other.server_port}, "a worker knows it before it serves"
    told = {one["address"]: one["drained"] for one in server.client.ask("GET", "/upstreams").data}
    assert told == {f"127.0.0.1:{drained.server_port}": True, f"127.0.0.1:{other.server_port}": False}
    share(server, drained, drained=False, weight=3)
    # Each worker takes its turns exactly; which worker a connection goes to is the system's choice.
    assert abs(asked(server, 80)[drained.server_port] - 60) <= 6
    share(server, drained, drained=True)
    share(server, other, drained=True)
    with pytest.raises(OSError, match="503"):
        server.get()


def test_a_drained_server_stays_so_when_another_version_takes_over(
    proxying: Callable[..., Any], behind: list[Upstream], installed: Path
) -> None:
    server = proxying(environment={"PYTHONPATH": str(installed)})
    share(server, behind[0], drained=True)
    old = server.pids()
    assert server.client.ask("POST", "/upgrade").is_good
    server.wait_until_ready(without=old)
    assert set(asked(server)) == {behind[1].server_port}


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_curl_gets_everything_there_is(run: Any, folder: Path, reserve_port: Callable[[], int]) -> None:
    site = SITE.replace(":0", f":{reserve_port()}")
    server = run(site, options="workers 2")
    server.get("/page")

    def curl(path: str, *words: str) -> str:
        command = ["curl", "-fsS", "--max-time", "20", "--unix-socket", str(folder / "admin.sock"), *words]
        done = subprocess.run([*command, f"http://localhost{path}"], capture_output=True, text=True)
        assert done.returncode == 0, done
        return done.stdout

    assert curl("/health") == "alive\n"
    assert curl("/ready") == "ready\n"
    assert json.loads(curl("/version"))["workers"] == 2
    assert "respond" in curl("/config")
    assert "edge_http_requests_total{" in curl("/metrics")
    assert curl("/graph").startswith("<svg")
    assert curl("/upstreams") == "[]\n"
    assert "→ answer 200" in curl("/explain?url=/x", "-H", "Accept: text/plain")
    new = site.replace("one", "two")
    admin = f"{{\nadmin unix/{folder}/admin.sock\nworkers 2\n}}\n"
    words = ("-H", "Content-Type: text/edgefile", "--data-binary", admin + new)
    assert json.loads(curl("/config?dry_run", *words))["done"] is False
    assert server.get() == "one"
    assert json.loads(curl("/config", *words))["done"] is True
    assert server.get() == "two"
    assert [one["source"] for one in json.loads(curl("/config?history"))] == ["admin", "start"]
    assert json.loads(curl("/rollback", "-X", "POST"))["done"] is True
    assert server.get() == "one"
    assert json.loads(curl("/stop", "-X", "POST")) == {"stopping": True}
    assert server.process.wait(60) == 0
    assert not (folder / "admin.sock").exists()


def test_garbage_changes_nothing(run: Any) -> None:
    server = run(SITE, options="workers 2")
    before = server.status()

    from edgescript.cli.client import _UnixConnection

    for body in (b"", b"\xff\xfe", b"{" * 1000, b":80 {\n", os.urandom(5000), b":0 {\n respond\n respond\n}\n" * 50):
        statuses = set()
        for path in ("/config?dry_run", "/config"):
            connection: http.client.HTTPConnection = _UnixConnection(str(server.folder / "admin.sock"))
            connection.request("POST", path, body, {"Content-Type": "text/edgefile"})
            answer = connection.getresponse()
            said = answer.read()
            connection.close()
            assert answer.status in (400, 409, 422), said
            assert json.loads(said)["detail"]
            statuses.add(answer.status)
        assert len(statuses) == 1, "a dry run says the same"
    after = server.status()
    assert after["config"] == before["config"]
    assert [one["pid"] for one in after["workers"]] == [one["pid"] for one in before["workers"]]
    assert server.get() == "one"


def test_the_log_of_all_workers_is_told_as_it_is_written(run: Any) -> None:
    server = run(SITE, options="workers 2")
    with server.client.stream("/logs?path=/a") as stream:
        events = iter(stream)
        found: list[str] = []
        until = time.monotonic() + 60
        while len(found) < 8:  # what comes before the workers know that somebody listens is not told
            assert time.monotonic() < until
            server.get("/b")
            server.get(f"/a{len(found)}")
            if server.status() and (found or _is_told(stream)):
                found.append(json.loads(next(events)[1])["uri"])
    assert all(uri.startswith("/a") for uri in found)


def _is_told(stream: Any) -> bool:
    """Whether there is something to be read."""
    import select

    return bool(select.select([stream._socket], [], [], 0.2)[0])


def test_a_token_is_asked_for_and_shown_nowhere(run: Any, folder: Path, reserve_port: Callable[[], int]) -> None:
    admin = reserve_port()
    server = run(SITE, options="workers 1", environment={"EDGE_ADMIN_TOKEN": TOKEN})
    options = f"admin 127.0.0.1:{admin} {{\ntoken {{$EDGE_ADMIN_TOKEN}}\n}}\nworkers 1"
    server.file.write_text(f"{{\n{options}\n}}\n:{server.port} {{\nrespond two\n}}\n")
    assert server.client.ask("POST", "/reload").is_good  # by the old address, which goes then
    server.wait_for("was taken over")
    environment = {**os.environ, "EDGE_ADMIN_TOKEN": TOKEN}

    def edge(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [EDGE, *words], cwd=folder, env={**environment, **more}, capture_output=True, text=True, timeout=60
        )

    assert edge("status").returncode == 0
    wrong = edge("status", EDGE_ADMIN_TOKEN="a-wrong-token-0123456789")
    assert wrong.returncode == 1
    assert "token is wrong" in wrong.stderr
    shown = [edge("adapt"), edge("history"), edge("validate"), edge("status", "--json"), edge("reload")]
    assert all(one.returncode == 0 for one in shown), shown
    said = "".join(one.stdout + one.stderr for one in [*shown, wrong]) + "\n".join(server.lines)
    kept = b"".join(path.read_bytes() for path in (folder / "state").rglob("*") if path.is_file())
    assert TOKEN not in said
    assert TOKEN.encode() not in kept
    while (folder / "admin.sock").exists():
        time.sleep(0.01)


def test_a_server_runs_without_the_usual_admin_address_where_another_has_it(folder: Path) -> None:
    """The one that has it may be of another test; both do without then, which is the same."""
    (folder / "Edgefile").write_text(":0 {\n respond 200\n}\n")
    environment = {**os.environ, "STATE_DIRECTORY": str(folder / "state")}
    started = [
        subprocess.Popen([EDGE, "run"], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        said = []
        for one in started:
            assert one.stderr is not None
            lines = []
            while not any("listening on" in line for line in lines):
                lines.append(one.stderr.readline())
                assert lines[-1], lines
            said.append(lines)
        for one in started:
            one.send_signal(signal.SIGTERM)
        rest = ["".join(lines) + one.communicate(timeout=60)[1] for lines, one in zip(said, started, strict=True)]
        assert [one.returncode for one in started] == [0, 0]
        assert any(re.search("there is no admin address: cannot listen on 127.0.0.1:2019", text) for text in rest), rest
    finally:
        for one in started:
            if one.poll() is None:
                one.kill()
                one.communicate()


@pytest.mark.skipif(program() is None, reason="there is no Chromium")
def test_the_dashboard_shows_a_server_under_load(
    run: Any, behind: list[Upstream], tmp_path: Path, reserve_port: Callable[[], int]
) -> None:
    admin = reserve_port()
    server = run(SITE, options="workers 2")
    text = (
        f"{{\nadmin 127.0.0.1:{admin}\nworkers 2\n}}\n:{server.port} {{\nlog\n"
        f"proxy /api/* 127.0.0.1:{behind[0].server_port}\nrespond 404\n}}\n"
    )
    server.file.write_text(text)
    assert server.client.ask("POST", "/reload").is_good
    ended = threading.Event()

    def load() -> None:
        while not ended.is_set():
            server.get("/api/x")

    clients = [threading.Thread(target=load) for _ in range(2)]
    for client in clients:
        client.start()
    try:
        with Page(tmp_path) as page:
            page.look(width=1280)
            page.open(f"http://127.0.0.1:{admin}/")
            page.wait_for("document.querySelector('#state').innerText === 'ready'")
            page.wait_for("points.length > 1 && points.at(-1).classes['2xx'] > 1")
            page.wait_for("document.querySelector('#routes').innerText.includes('/api/*')")
            page.wait_for("document.querySelector('#upstreams').innerText.includes('127.0.0.1')")
            page.wait_for("document.querySelectorAll('#log li .s2').length > 3")
            page.wait_for("document.querySelectorAll('#workers tr').length === 2")
            page.wait_for("document.querySelector('#graph').naturalWidth > 100")
            assert page.errors == []
    finally:
        ended.set()
        for client in clients:
            client.join()
