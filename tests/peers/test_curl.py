"""curl in front of the proxy, and a Python origin behind it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")


@pytest.fixture
def describing(origin: Callable[..., Any]) -> Any:
    """An origin that answers with the method, the body's length and its digest."""

    def behave(connection: Any, number: int) -> None:
        while True:
            head = connection.read_head()
            if b"\r\nexpect: 100-continue\r\n" in head:
                connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
            if b"transfer-encoding" in fields:
                body = connection.read_chunks()[0]
            else:
                body = connection.read(int(fields.get(b"content-length", 0)))
            method = head.split(b" ", 1)[0]
            text = b"%b %d %b" % (method, len(body), hashlib.sha256(body).hexdigest().encode())
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text)
            connection.send(answer if method == b"HEAD" else answer + text)

    return origin(behave)


def curl(*arguments: str) -> bytes:
    return subprocess.run(["curl", "-sS", "--max-time", "30", *arguments], check=True, capture_output=True).stdout


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_every_method_passes(describing: Any, proxy_to: Callable[..., Any], method: str) -> None:
    url = proxy_to(describing.address).url
    assert curl("-X", method, url).startswith(f"{method} 0 ".encode())
    assert curl("-X", method, "--data", "hello", url).startswith(f"{method} 5 ".encode())


def test_head_passes(describing: Any, proxy_to: Callable[..., Any]) -> None:
    assert b"content-length: " in curl("-I", proxy_to(describing.address).url).lower()


@pytest.mark.parametrize(
    "fields", [(), ("-H", "Transfer-Encoding: chunked"), ("-H", "Expect: 100-continue"), ("-H", "Expect:")]
)
def test_uploads_pass(describing: Any, proxy_to: Callable[..., Any], tmp_path: Path, fields: tuple[str, ...]) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "data").write_bytes(data)
    answer = curl("-T", str(tmp_path / "data"), *fields, proxy_to(describing.address).url + "/x")
    assert answer == b"PUT 3000000 " + hashlib.sha256(data).hexdigest().encode()
