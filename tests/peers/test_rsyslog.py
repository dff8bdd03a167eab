"""Debian's rsyslog gets every line, over UDP, TCP and a unix socket."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

_PROGRAM = shutil.which("rsyslogd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")

pytestmark = pytest.mark.skipif(_PROGRAM is None, reason="needs rsyslog")

_CONFIGURATION = """
global(workDirectory="{folder}" maxMessageSize="64k")
module(load="imudp")
module(load="imtcp")
module(load="imuxsock" SysSock.Use="off")
template(name="all" type="list") {{
    constant(value="{{") property(name="syslogfacility-text" format="jsonf" outname="facility")
    constant(value=",") property(name="syslogseverity-text" format="jsonf" outname="severity")
    constant(value=",") property(name="app-name" format="jsonf" outname="app")
    constant(value=",") property(name="procid" format="jsonf" outname="process")
    constant(value=",") property(name="structured-data" format="jsonf" outname="data")
    constant(value=",") property(name="msg" format="jsonf" outname="text")
    constant(value="}}\\n")
}}
ruleset(name="kept") {{ action(type="omfile" file="{folder}/messages" template="all") }}
input(type="imudp" address="127.0.0.1" port="{port}" ruleset="kept")
input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="kept")
input(type="imuxsock" Socket="{folder}/log" UseSpecialParser="off" ParseHostname="on" ruleset="kept")
"""


class Rsyslog:
    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        (folder / "rsyslog.conf").write_text(_CONFIGURATION.format(folder=folder, port=port))
        command = [str(_PROGRAM), "-n", "-iNONE", "-f", str(folder / "rsyslog.conf")]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self.wait_for((folder / "log").exists)

    def wait_for(self, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert self._process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)

    @property
    def messages(self) -> list[dict[str, str]]:
        path = self.folder / "messages"
        text = path.read_text() if path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)


@pytest.fixture
def rsyslog(tmp_path: Path, reserve_port: Callable[[], int]) -> Iterator[Rsyslog]:
    made = Rsyslog(tmp_path, reserve_port())
    yield made
    made.stop()


@pytest.mark.parametrize("address", ["udp://127.0.0.1:{port}", "tcp://127.0.0.1:{port}", "unix/{folder}/log"])
def test_every_request_leaves_a_message(rsyslog: Rsyslog, serve_edgefile: Any, address: str) -> None:
    where = address.format(port=rsyslog.port, folder=rsyslog.folder)
    text = f"""
    :80 {{
        log {{
            output syslog {where} {{
                facility local3
                app_name shop
                structured_data edge@12345
            }}
        }}
        respond /missing 404
        respond hello
    }}
    """
    server = serve_edgefile(text)
    with httpx.Client() as client:
        for path in ('/a]"x', "/missing", *["/"] * 20):
            client.get(server.url + path)
    server.stop()
    rsyslog.wait_for(lambda: len(rsyslog.messages) == 22)
    first, second = rsyslog.messages[:2]
    assert (first["facility"], first["severity"], first["app"]) == ("local3", "info", "shop")
    assert first["process"] == str(os.getpid())
    assert json.loads(first["text"])["status"] == 200
    assert '[meta sequenceId="1"][edge@12345 client_ip="127.0.0.1" method="GET"' in first["data"]
    assert (second["severity"], json.loads(second["text"])["uri"]) == ("warning", "/missing")
