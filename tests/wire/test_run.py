"""The server as a process: the first signal stops gracefully, the second at once."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = """
import sys
from edgescript.catalog import Catalogue
from edgescript.graph.load import load
from edgescript.runtime.compose import run
from edgescript.text.source import Source

text = "{{\\n grace_period 1m\\n}}\\nhttp://:0 {{\\n request_body {{\\n max_size 1MB\\n }}\\n respond hello\\n}}\\n"
graph, problems = load(Source("Edgefile", text), catalogue=Catalogue.load(), environment={{}}, directory=".")
run(graph, engine="{engine}", on_ready=lambda addresses: print(*addresses, flush=True))
"""


@pytest.fixture(params=["fast", "hypercorn"])
def process(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    program = PROGRAM.format(engine=request.param)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    ) as running:
        assert running.stdout is not None
        try:
            host, _, port = running.stdout.readline().strip().partition(":")
            assert host == "", "every interface"
            yield running, int(port)
        finally:
            running.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_signal_stops_an_idle_server(process: tuple[subprocess.Popen[str], int], number: signal.Signals) -> None:
    running, port = process
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = b""
        while not answer.endswith(b"hello"):
            answer += client.recv(1000)
        running.send_signal(number)
        assert client.recv(1000) == b""
    _, errors = running.communicate(timeout=30)
    assert (running.returncode, errors) == (0, "")


def test_a_second_signal_does_not_wait_for_what_is_in_flight(process: tuple[subprocess.Popen[str], int]) -> None:
    running, port = process
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nunfinished")
        if 'engine="fast"' in str(running.args):  # the other answers when the body is whole
            assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
        running.send_signal(signal.SIGTERM)
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=30)
    assert (running.returncode, errors) == (0, "")
