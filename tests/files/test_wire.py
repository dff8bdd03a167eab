"""Files over real connections, asked for by curl."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl"),
    pytest.mark.usefixtures("no_leaks"),
]

Curl = Callable[..., tuple[int, dict[str, str], bytes]]
DATA = bytes(range(256)) * 4096  # 1 MiB


@pytest.fixture
def www(tmp_path: Path) -> Path:
    root = tmp_path / "www"
    root.mkdir()
    (root / "large.bin").write_bytes(DATA)
    (root / "small.txt").write_text("0123456789")
    (root / "folder").mkdir()
    (root / "folder" / "index.html").write_text("page")
    return root


@pytest.fixture(params=["fast", "hypercorn"])
def server(request: pytest.FixtureRequest, no_leaks: None, www: Path, serve_edgefile: Any) -> Any:
    return serve_edgefile(":80 {\nfiles www\n}\n", engine=request.param)


@pytest.fixture
def curl(server: Any) -> Curl:
    """Runs curl; gives status, headers and body."""

    def run(target: str, *arguments: str) -> tuple[int, dict[str, str], bytes]:
        command = ["curl", "-sS", "-i", "--path-as-is", "--max-time", "30", *arguments, server.url + target]
        output = subprocess.run(command, capture_output=True, check=True).stdout
        head, _, body = output.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(": ") for line in lines)
        return int(first.split()[1]), {name.lower(): value for name, _, value in pairs}, body

    return run


@pytest.mark.parametrize(("name", "data"), [("/large.bin", DATA), ("/small.txt", b"0123456789"), ("/folder/", b"page")])
def test_a_file_arrives_whole(curl: Curl, name: str, data: bytes) -> None:
    status, headers, body = curl(name)
    assert status == 200
    assert hashlib.sha256(body).digest() == hashlib.sha256(data).digest()
    assert headers["content-length"] == str(len(data))
    assert headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(("field", "start", "end"), [("0-99", 0, 100), ("1000-", 1000, None), ("-70000", -70000, None)])
def test_a_part_arrives(curl: Curl, field: str, start: int, end: int | None) -> None:
    status, headers, body = curl("/large.bin", "-r", field)
    assert status == 206
    assert body == DATA[start:end]
    first = start % len(DATA)
    assert headers["content-range"] == f"bytes {first}-{first + len(body) - 1}/{len(DATA)}"


def test_several_parts_arrive_as_one_message(curl: Curl) -> None:
    status, headers, body = curl("/large.bin", "-r", "0-99999,200000-200009,-5")
    assert status == 206
    assert int(headers["content-length"]) == len(body)
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {headers['content-type']}\r\n\r\n".encode() + body)
    assert [part["Content-Range"] for part in message.iter_parts()] == [
        "bytes 0-99999/1048576",
        "bytes 200000-200009/1048576",
        "bytes 1048571-1048575/1048576",
    ]
    boundary = message.get_boundary()
    pieces = [piece.split(b"\r\n\r\n", 1)[1][:-2] for piece in body.split(f"--{boundary}".encode())[1:-1]]
    assert pieces == [DATA[:100_000], DATA[200_000:200_010], DATA[-5:]]


def test_a_part_that_is_not_there_is_416(curl: Curl) -> None:
    status, headers, _ = curl("/large.bin", "-r", "2000000-")
    assert (status, headers["content-range"]) == (416, "bytes */1048576")


def test_a_download_is_continued(server: Any, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(DATA[:300_001])
    subprocess.run(["curl", "-sS", "-C", "-", "-o", str(part), f"{server.url}/large.bin"], check=True)
    assert part.read_bytes() == DATA


def test_head_has_no_body(curl: Curl) -> None:
    for name, size in (("/large.bin", len(DATA)), ("/small.txt", 10)):
        status, headers, body = curl(name, "-I")
        assert (status, headers["content-length"], body) == (200, str(size), b"")


def test_what_the_client_has_is_not_sent_again(curl: Curl, tmp_path: Path) -> None:
    _, headers, _ = curl("/large.bin")
    status, again, body = curl("/large.bin", "-H", f"If-None-Match: {headers['etag']}")
    assert (status, body, again["etag"]) == (304, b"", headers["etag"])
    assert curl("/large.bin", "-H", f"If-Modified-Since: {headers['last-modified']}")[0] == 304


@pytest.mark.parametrize(
    "target",
    [
        "/../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/..%5csecret",
        "/folder/../../secret",
        "//../secret",
        "/%00",
        "/a%00.txt",
    ],
)
def test_nothing_outside_is_reached(curl: Curl, www: Path, target: str) -> None:
    (www.parent / "secret").write_text("secret")
    status, _, body = curl(target)
    assert status in (400, 404)
    assert b"secret" not in body


def test_a_redirect_stays_on_this_host(curl: Curl) -> None:
    assert curl("/folder")[1]["location"] == "/folder/"
    assert curl("//folder")[1]["location"] == "/folder/"
    assert curl("/\\folder")[1]["location"] == "/folder/"


def test_methods_that_change_things_are_refused(curl: Curl) -> None:
    for method in ("POST", "PUT", "DELETE"):
        status, headers, _ = curl("/small.txt", "-X", method, "-d", "x")
        assert (status, headers["allow"]) == (405, "GET, HEAD")


# ---- what clients and files do meanwhile


def _read_head(client: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.recv(1)
    return data


@pytest.fixture
def huge(www: Path) -> Path:
    """A file that no socket buffer holds."""
    file = www / "huge.bin"
    with open(file, "wb") as sparse:
        sparse.truncate(256 * 1024 * 1024)
    return file


@pytest.mark.usefixtures("huge")
def test_a_client_that_goes_away_leaves_nothing_open(server: Any) -> None:
    for fields in (b"", b"Range: bytes=0-99999999,150000000-\r\n"):
        with server.connect() as client:
            client.sendall(b"GET /huge.bin HTTP/1.1\r\nHost: a\r\n%b\r\n" % fields)
            assert b" 20" in _read_head(client)


def test_a_file_that_shrinks_meanwhile_breaks_the_connection(server: Any, huge: Path) -> None:
    with server.connect() as client:
        client.sendall(b"GET /huge.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"content-length: 268435456" in _read_head(client)
        os.truncate(huge, 1000)
        received = 0
        while True:
            try:
                piece = client.recv(1 << 20)
            except ConnectionError:
                break
            if not piece:
                break
            received += len(piece)
        assert received < 268435456


def test_a_slow_client_does_not_stop_the_others(server: Any, huge: Path, curl: Curl) -> None:
    with server.connect() as slow:
        slow.sendall(b"GET /huge.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        _read_head(slow)
        assert curl("/small.txt")[0] == 200
