"""nginx with a configuration beside this server with what it was converted to: the same requests, the same answers."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from edgescript.convert.nginx.convert import convert
from edgescript.text.source import Source

CORPUS = Path(__file__).parent.parent / "convert" / "nginx" / "corpus"

_FRAME = """
user root;
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 128; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    types {{ text/html html; text/plain txt; text/css css; image/gif gif; image/jpeg jpg; image/png png; }}
    {inner}
}}
"""


class Request(NamedTuple):
    """What a client asks."""

    target: str
    host: str = "harbour.example"
    method: str = "GET"
    fields: tuple[tuple[str, str], ...] = ()


class Answer(NamedTuple):
    """What both servers must give alike."""

    status: int | str
    location: str | None
    body: str | None
    fields: tuple[tuple[str, str], ...]


class _Upstream(http.server.BaseHTTPRequestHandler):
    """Says in JSON what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.startswith(("/two/", "/redirects")):
            location = f"http://{self.headers['Host']}/two/there"
            self._send(302, b"", Location=location)
            return
        self._send(200, json.dumps(_asked(self)).encode(), **{"X-Upstream": "yes", "Content-Type": "application/json"})

    do_POST = do_GET  # noqa: N815 (names of http.server)
    do_HEAD = do_GET  # noqa: N815

    def _send(self, status: int, body: bytes, **fields: str) -> None:
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


#: Fields that only one of the two sends to the server behind, and that say nothing of the configuration.
_OURS = {"connection", "via", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "accept-encoding"}


def _asked(request: http.server.BaseHTTPRequestHandler) -> dict[str, Any]:
    fields = {name.lower(): value for name, value in request.headers.items() if name.lower() not in _OURS}
    return {"method": request.command, "path": request.path, "fields": dict(sorted(fields.items()))}


@pytest.fixture
def upstream() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Upstream)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def real_nginx(tmp_path: Path, reserve_port: Callable[[], int]) -> Iterator[Callable[[str], dict[int, int]]]:
    """`real_nginx(text)` starts an nginx with servers; gives the port that it took for each that they listen on."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None:
        pytest.skip("needs nginx")
    running: list[tuple[subprocess.Popen[bytes], Path]] = []

    def start(inner: str) -> dict[int, int]:
        ports: dict[int, int] = {}

        def moved(found: re.Match[str]) -> str:
            port = int(found[2])
            ports.setdefault(port, reserve_port())
            return f"{found[1]}127.0.0.1:{ports[port]}"

        inner = re.sub(r"(\blisten )(?:[\d.]+:)?(\d+)", moved, inner)
        if not ports:
            ports[80] = reserve_port()
            inner = inner.replace("server {", f"server {{ listen 127.0.0.1:{ports[80]};")
        configuration = tmp_path / "nginx.conf"
        configuration.write_text(_FRAME.format(folder=tmp_path, inner=inner))
        checked = subprocess.run(
            [program, "-p", str(tmp_path), "-t", "-c", str(configuration), "-e", "stderr"],
            capture_output=True,
            text=True,
        )
        assert checked.returncode == 0, checked.stderr
        process = subprocess.Popen(
            [program, "-p", str(tmp_path), "-c", str(configuration), "-e", str(tmp_path / "early.log")]
        )
        running.append((process, configuration))
        for port in ports.values():
            _wait(port, process)
        return ports

    yield start
    for process, configuration in running:
        subprocess.run([program, "-c", str(configuration), "-e", "stderr", "-s", "stop"], check=False)
        process.wait(20)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    import socket

    while process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    raise AssertionError("nginx ended")


def ask(port: int, request: Request, ports: set[int]) -> Answer:
    """One request, and what is comparable of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(request.method, request.target, headers={"Host": request.host, **dict(request.fields)})
        response = connection.getresponse()
        body = response.read().decode("utf-8", "replace")
    except (http.client.HTTPException, ConnectionError):
        return Answer("no answer", None, None, ())
    finally:
        connection.close()
    # Error pages of their own, and pages that redirects bring, look as each server likes.
    own = response.status >= 300 and body.lstrip().startswith(("<html>", "<!DOCTYPE", "{")) or response.status >= 300
    shown = body if not own or "page" in body or response.status < 300 else None
    fields = {name.lower(): value for name, value in response.getheaders()}
    kept = tuple((name, fields[name]) for name in sorted(fields) if name.startswith("x-") or name in _COMPARED)
    status = 301 if response.status == 308 else response.status
    return Answer(status, _place(fields.get("location"), request.host), shown, kept)


_COMPARED = ("cache-control", "access-control-allow-origin")


def _place(location: str | None, host: str) -> str | None:
    """A place of the same server with or without its name is the same."""
    return None if location is None else re.sub(rf"^http://({re.escape(host)}|127\.0\.0\.1)(:\d+)?/", "/", location)


class Both:
    """nginx and this server, side by side with the same configuration."""

    def __init__(self, nginx_port: int, our_port: int, text: str, ports: set[int]) -> None:
        self._nginx_port = nginx_port
        self._our_port = our_port
        self.text = text
        self._ports = ports

    def ask(self, request: Request) -> tuple[Answer, Answer]:
        return ask(self._nginx_port, request, self._ports), ask(self._our_port, request, self._ports)


@pytest.fixture
def both(
    real_nginx: Callable[[str], dict[int, int]], serve_edgefile: Callable[..., Any], upstream: int, tmp_path: Path
) -> Callable[[str], Both]:
    """`both(text)` runs a configuration, whose files are below `/srv` and whose servers behind on 127.0.0.1:90xx."""

    def start(text: str) -> Both:
        text = re.sub(r"(?<!listen )127\.0\.0\.1:90\d\d", f"127.0.0.1:{upstream}", text)
        text = text.replace("/srv/", f"{tmp_path}/srv/")
        _files(tmp_path, text)
        converted = convert(Source("nginx.conf", text), read=_no_file, find=lambda _: [])
        ports = real_nginx(_inside_http(text))
        server = serve_edgefile(converted.text, directory=str(tmp_path))
        return Both(next(iter(ports.values())), server.port, converted.text, {upstream})

    return start


def _no_file(name: str) -> bytes:
    raise FileNotFoundError(name)


def _inside_http(text: str) -> str:
    """What stands in `http`; the frame has the rest."""
    found = re.search(r"^http \{\n(.*)^\}", text, re.DOTALL | re.MULTILINE)
    inner = found[1] if found else text
    return re.sub(r"^\s*(access_log|include) (?!off).*;$", "", inner, flags=re.MULTILINE)


def _files(folder: Path, text: str) -> None:
    """Some files in every folder that a configuration names."""
    for name in set(re.findall(rf"{re.escape(str(folder))}/srv/[\w/-]+", text)):
        root = Path(name)
        for path in ("", "docs", "images", "news", "sub/deep", "always", "documents", "system"):
            (root / path).mkdir(parents=True, exist_ok=True)
            # A folder without an index file is 404 here and 403 there; with one it is the same.
            for file in ("index.html", "page.html", "picture.png", "notes.txt"):
                (root / path / file).write_text(f"page {path}/{file} of {root.name}")
        for file in ("404.html", "50x.html", "images/default.gif", "start.html"):
            (root / file).write_text(f"page {file} of {root.name}")


def _requests(text: str) -> list[Request]:
    """Requests that try what a configuration names: each location, a bit more, and what it leaves open."""
    paths = [
        "/",
        "/missing",
        "/index.html",
        "/page.html",
        "/picture.png",
        "/docs/page.html",
        "/sub/deep",
        "/sub/deep/notes.txt",
    ]
    for modifier, at in re.findall(r"location (=|\^~|~\*?|) ?(/[\w/.-]*)", text):
        paths += (
            [at]
            if modifier == "="
            else [at, f"{at.rstrip('/')}/page.html", f"{at.rstrip('/')}/a%20b?x=1&y=2", f"{at}x"]
        )
    hosts = [
        name
        for names in re.findall(r"server_name ([^;]+);", text)
        for name in names.split()
        if re.fullmatch(r"[\w.]+", name)
    ]
    return [Request(path, host) for path in dict.fromkeys(paths) for host in dict.fromkeys(["other.example", *hosts])]


#: What does not run on plain ports with nginx's usual modules, or cannot be the same; the reports of these files say why.
_NOT_RUN = {
    *"""auth-basic auth-request beginners-fastcgi core-satisfy core-try-php empty-gif fastcgi geo grpc https-both https-optimised
    https-server memcached mirror processing-php secure-link split-clients ssi stream stub-status uwsgi userid wiki-drupal
    wiki-full wiki-geth wiki-mediawiki wiki-ssl-offloader wiki-symfony wiki-wordpress wiki-pitfalls-proxy proxy-variables
    proxy-https processing-addresses referer gzip-static limit-conn limit-req sub-filter charset proxy-cache
    core-limit-except""".split()
}
_RUN = sorted(path.stem for path in CORPUS.glob("*.conf") if path.stem not in _NOT_RUN)


@pytest.mark.parametrize("name", _RUN)
def test_a_converted_file_answers_as_nginx_does(name: str, both: Callable[[str], Both]) -> None:
    text = (CORPUS / f"{name}.conf").read_text()
    servers = both(text)
    different = []
    for request in _requests(text):
        theirs, ours = servers.ask(request)
        if theirs != ours:
            different.append(f"{request.host}{request.target}\n  nginx {theirs}\n  ours  {ours}")
    assert not different, servers.text + "\n".join(different)
