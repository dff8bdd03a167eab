"""The meaning of a conversion: Caddy with the Caddyfile and this server with the Edgefile answer alike."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from edgescript.convert.caddy.convert import convert
from edgescript.convert.report import Conversion, Outcome
from edgescript.text.source import Source

_CADDY = shutil.which("caddy")
pytestmark = pytest.mark.skipif(_CADDY is None, reason="needs caddy")

#: What has nothing to do with how the requests below are answered; without it both answer alike.
_WITHOUT_EFFECT = ("encode", "tls", "health_", "fail_duration", "max_fails", "log", "roll_", "email", "acme_ca", "admin",
                   "push", "timeouts", "read_body", "metrics")  # fmt: skip
#: Requests for every site, next to those for the paths that its file names.
_PATHS = ("/", "/index.html", "/about.html", "/docs", "/docs/", "/missing", "/.env", "/api/users?page=2",
          "/static/app.js", "/index.html?x=1&sort=asc&page=2", "/b%20c", "/API/Users")  # fmt: skip
_FIELDS: tuple[dict[str, str], ...] = (
    {}, {"X-Pier": "north-7", "Cookie": "a=b"}, {"Connection": "x-y", "X-Forwarded-For": "192.0.2.7"},
)  # fmt: skip
_FILES = {
    "index.html": "<h1>harbour</h1>", "about.html": "about", ".env": "hidden", "docs/index.html": "the docs",
    "static/app.js": "alert(1)", "docs/static/app.js": "alert(2)", "403.html": "no entry", "404.html": "nothing",
    "secret.txt": "secret", "found/about.html": "found",
}  # fmt: skip
#: What Debian's Caddy (2.6) does otherwise than the documentation of today says; later ones do as it says.
_OLDER = {
    "match-query": "several parameters were alternatives",
    "snippet-arguments": "arguments were written {args.0}",
}
#: Fields that every server writes in its own way.
_OWN = {"date", "server", "content-length", "etag", "last-modified", "connection", "accept-ranges", "keep-alive", "via",
        "transfer-encoding", "vary", "x-upstream-date", "allow", "alt-svc"}  # fmt: skip


class Answer(NamedTuple):
    status: int
    fields: dict[str, str]
    body: bytes


def answered(port: int, host: str, method: str, target: str, fields: dict[str, str]) -> Answer | None:
    """What a server answers, or None where it closes without an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, target, headers={"Host": host, **fields}, body=b"x" if method == "POST" else None)
        response = connection.getresponse()
        body = response.read()
    except (http.client.HTTPException, ConnectionError):
        return None
    finally:
        connection.close()
    kept = {name.lower(): value for name, value in response.getheaders() if name.lower() not in _OWN}
    return Answer(response.status, kept, body)


class _Upstream(BaseHTTPRequestHandler):
    """Says what it was asked."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        names = ("Host", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "X-Pier", "X-Prefix",
                 "X-Secret", "Cookie")  # fmt: skip
        said = "".join(f"{name}: {self.headers.get(name)}\n" for name in names)
        body = f"{self.command} {self.path}\n{said}{self.rfile.read(length)!r}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("X-Upstream", "yes")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = _answer  # noqa: N815

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def upstream_port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


class Plain(NamedTuple):
    """A Caddyfile for plain HTTP, its hosts, and its ports in the order of its sites."""

    text: str
    hosts: list[str]
    ports: list[int]


def on_plain_http(text: str, folder: Path, upstream: int, reserve_port: Callable[[], int]) -> Plain:
    """The file with sites for plain HTTP on ports that are free, our files, and our upstream."""
    text = text.replace("/srv/harbour", str(folder)).replace("/var/log/harbour.log", str(folder / "harbour.log"))
    text = re.sub(r"localhost:900\d", f"127.0.0.1:{upstream}", text)
    text = text.replace("https://backend.example", f"https://127.0.0.1:{reserve_port()}")  # nobody looks a name up
    text = re.sub(r"\{\$SITE_ADDRESS:(.*?)\} \{", r"\1 {", text)
    text = re.sub(r"\ttls (?:internal\n|\{\n(?:\t\t.*\n)*\t\}\n)", "", text)
    port = reserve_port()
    ports: dict[str, int] = {"": port}

    def site(match: re.Match[str]) -> str:
        names = [name.strip().removeprefix("http://") for name in match[1].split(",")]
        for name in names:
            if name.startswith(":"):
                ports[name] = reserve_port()
        return ", ".join(f":{ports[name]}" if name in ports else f"http://{name}" for name in names) + match[2]

    text = re.sub(r"^(?!#)((?:http://|\*\.|:\d|[a-z.]+\.example)[^{}\n]*?)(\s\{|$)", site, text, flags=re.MULTILINE)
    options = f"\tadmin off\n\tauto_https off\n\thttp_port {port}\n"
    text = re.sub(r"\t(?:admin|http_port|https_port|email|acme_ca) .*\n", "", text)
    text = (
        re.sub(r"^\{\n", lambda found: "{\n" + options, text, count=1, flags=re.MULTILINE)
        if (re.search(r"^\{\n", text, re.MULTILINE))
        else f"{{\n{options}}}\n{text}"
    )
    hosts = [
        name.strip()
        for line in re.findall(r"^http://(.*?)(?: \{|$)", text, re.MULTILINE)
        for name in line.split(", http://")
    ]
    used = [number for name, number in ports.items() if name] if len(ports) > 1 else [port]
    return Plain(text, [host.replace("*.", "north.") for host in hosts] or ["localhost"], used)


@pytest.fixture
def caddy(tmp_path: Path) -> Iterator[Callable[[str, int], None]]:
    """`caddy(text, port)` starts Caddy with a Caddyfile."""
    processes: list[subprocess.Popen[bytes]] = []
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
    }

    def start(text: str, port: int) -> None:
        file = tmp_path / "Caddyfile"
        file.write_text(text)
        command = [str(_CADDY), "adapt", "--validate", "--adapter", "caddyfile", "--config", str(file)]
        checked = subprocess.run(command, capture_output=True, env=environment, check=False)
        if checked.returncode:
            pytest.skip(f"this Caddy does not take it: {checked.stderr.decode()[-200:]}")
        command = [str(_CADDY), "run", "--adapter", "caddyfile", "--config", str(file)]
        log = (tmp_path / "caddy.err").open("wb")
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=tmp_path)
        log.close()
        processes.append(process)
        _wait(port, process, tmp_path / "caddy.err")

    yield start
    for process in processes:
        process.terminate()
        process.wait(20)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    import contextlib
    import socket

    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        except ConnectionRefusedError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.02)
    raise AssertionError(log.read_text())


def _matters(conversion: Conversion) -> list[str]:
    """What the report says that may change answers."""
    return [
        f"{remark.outcome}: {remark.written}"
        for remark in conversion.report.remarks
        if remark.outcome is not Outcome.CONVERTED and not remark.written.startswith(_WITHOUT_EFFECT)
    ]


def _paths_of(text: str) -> list[str]:
    found = re.findall(r"\s(/[a-z0-9./-]+\*?)(?=\s)", text)
    return [path for word in found if not word.startswith(("/srv", "/tmp", "/var")) for path in _around(word)]


def _around(path: str) -> list[str]:
    return [path.replace("*", "some/thing"), path.replace("*", "")] if "*" in path else [path, f"{path}/", path.upper()]


def test_caddy_and_this_server_answer_alike(
    caddyfile: Path,
    caddy: Callable[[str, int], None],
    serve_edgefile: Callable[..., Any],
    reserve_port: Callable[[], int],
    upstream_port: int,
    tmp_path: Path,
) -> None:
    if caddyfile.stem in _OLDER and _is_old():
        pytest.skip(f"in the Caddy of Debian {_OLDER[caddyfile.stem]}")
    folder = tmp_path / "files"
    for name, content in _FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    original = caddyfile.read_text()
    plain = on_plain_http(original, folder, upstream_port, reserve_port)
    conversion = convert(Source("Caddyfile", plain.text), read=_no_file, find=lambda pattern: [])
    if open_remarks := _matters(conversion):
        pytest.skip(f"the report says that it differs: {open_remarks[0]}")
    caddy(plain.text, plain.ports[0])
    server = serve_edgefile(conversion.text, directory=str(tmp_path))
    different = []
    for number, port in enumerate(plain.ports):
        for host in dict.fromkeys(plain.hosts):
            for method, target, fields in _requests(original):
                here = answered(server.ports[number], host, method, target, fields)
                there = answered(port, host, method, target, fields)
                if not _alike(here, there):
                    different.append(f"{method} {host} {target} {fields}\n  here  {here}\n  there {there}")
    assert not different, f"{len(different)} differ\n" + "\n".join(different[:6]) + f"\n{conversion.text}"


def test_a_websocket_goes_through_both(
    caddy: Callable[[str, int], None],
    serve_edgefile: Callable[..., Any],
    reserve_port: Callable[[], int],
    websocket_echo: int,
    through_websocket: Callable[[int, str], list[str]],
) -> None:
    port = reserve_port()
    matcher = "@ws {\nheader Connection *Upgrade*\nheader Upgrade websocket\n}\n"
    site = f":{port} {{\n{matcher}reverse_proxy @ws 127.0.0.1:{websocket_echo}\n}}\n"
    text = f"{{\nadmin off\nauto_https off\n}}\n{site}"
    caddy(text, port)
    server = serve_edgefile(convert(Source("Caddyfile", text), read=_no_file, find=lambda pattern: []).text)
    there, here = through_websocket(port, "/"), through_websocket(server.port, "/")
    assert here == there == ["ahoy", "", "x" * 100_000]


def _is_old() -> bool:
    version = subprocess.run([str(_CADDY), "version"], capture_output=True, check=True, text=True).stdout
    return re.match(r"v?2\.[0-6]\.", version) is not None


def _requests(text: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    for target in dict.fromkeys([*_PATHS, *_paths_of(text)]):
        yield "GET", target, {}
    for fields in _FIELDS[1:]:
        yield "GET", "/api/users", fields
    # (Caddy 2.6 gives files to POST; later ones refuse that, as this server does.)
    for method in ("HEAD",) if "file_server" in text else ("HEAD", "POST"):
        for target in ("/api/users", "/static/app.js", "/"):
            yield method, target, {}


def _alike(here: Answer | None, there: Answer | None) -> bool:
    if here is None or there is None:
        return here is there
    if here.status != there.status:
        return False
    if there.status >= 400 and not there.body:
        return True  # Caddy's own errors have no page, and ours have one
    if 300 <= there.status < 400:
        return here.fields.get("location") == there.fields.get("location")  # some of Caddy's have a page
    fields = {"content-type": here.fields.get("content-type", ""), **there.fields}
    return here.body == there.body and here.fields == {name: value for name, value in fields.items() if value}


def _no_file(name: str) -> bytes:
    raise FileNotFoundError(2, "no such file", name)


def test_the_guide_says_how_many_files_can_be_compared(tmp_path: Path, reserve_port: Callable[[], int]) -> None:
    corpus, guides = Path(__file__).parent / "corpus", Path(__file__).parents[3] / "docs" / "guide"
    texts = [on_plain_http(file.read_text(), tmp_path, 9, reserve_port).text for file in corpus.glob("*.Caddyfile")]
    found = [convert(Source("Caddyfile", text), read=_no_file, find=lambda pattern: []) for text in texts]
    count = sum(not _matters(conversion) for conversion in found)
    assert f"{count} files have no remark" in (guides / "from-caddy-converted.md").read_text("utf-8")
