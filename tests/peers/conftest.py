"""Real servers to stand behind the proxy."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Workers keep the user that runs the tests, who alone may read the tests' folders; without root nginx does so anyway.
_NGINX = """
user root;
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    {more}
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 0;
    keepalive_requests 1000000;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/files;
        location / {{ }}
        location /hello {{ return 200 "hello from {name}\\n"; }}
        location /echo {{ return 200 "$request_method $request_uri $http_x_forwarded_for"; }}
        location /upload {{ client_body_in_file_only clean; proxy_pass http://127.0.0.1:{port}/hello; proxy_method GET; }}
    }}
}}
"""


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until something accepts connections there."""
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        except ConnectionRefusedError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.02)
    raise AssertionError("the server ended")


class Nginx:
    """An nginx with files of its own; `more` are lines of its `http` block."""

    def __init__(self, program: str, folder: Path, name: str, port: int, more: str = "") -> None:
        self.folder = folder
        (folder / "files").mkdir(parents=True)
        self.port = port
        self._program = program
        self.address = f"127.0.0.1:{self.port}"
        self._configuration = folder / "nginx.conf"
        self._configuration.write_text(_NGINX.format(folder=folder, port=self.port, name=name, more=more))
        self._process = subprocess.Popen([program, "-c", str(self._configuration), "-e", str(folder / "early.log")])
        wait_for_port(self.port, self._process)

    def file(self, name: str, data: bytes) -> None:
        (self.folder / "files" / name).write_bytes(data)
        (self.folder / "files" / name).chmod(0o644)

    def stop(self, how: str = "stop") -> None:
        """`nginx -s stop` (at once) or `quit` (when the requests in flight are answered)."""
        if self._process.poll() is None:
            subprocess.run([self._program, "-c", str(self._configuration), "-e", "stderr", "-s", how], check=False)
        self._process.wait(20)


@pytest.fixture
def nginx(tmp_path_factory: pytest.TempPathFactory, reserve_port: Callable[[], int]) -> Iterator[Callable[..., Nginx]]:
    """`nginx(name, more)` starts an nginx."""
    # Where Debian has it is on the path of root only.
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None:
        pytest.skip("needs nginx")
    made: list[Nginx] = []

    def start(name: str = "nginx", more: str = "") -> Nginx:
        folder = tmp_path_factory.mktemp(name)
        for parent in (folder, *folder.parents[:2]):  # nginx's worker is another user
            parent.chmod(0o755)
        made.append(Nginx(program, folder, name, reserve_port(), more))
        return made[-1]

    yield start
    for one in made:
        one.stop()


@pytest.fixture
def python_server(tmp_path: Path, reserve_port: Callable[[], int]) -> Iterator[Callable[..., str]]:
    """`python_server(module_text, *command)` runs a program of this Python that listens on `{port}`; gives its address."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(text: str, *command: str) -> str:
        port = reserve_port()
        (tmp_path / "application.py").write_text(text)
        arguments: list[Any] = [sys.executable, *(part.format(port=port) for part in command)]
        process = subprocess.Popen(arguments, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        processes.append(process)
        wait_for_port(port, process)
        return f"127.0.0.1:{port}"

    yield start
    for process in processes:
        process.terminate()
        process.wait(20)
