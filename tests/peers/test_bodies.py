"""curl reads what `encode` writes; nginx compresses what `replace` changes; both answer alike."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")

TEXT = "".join(f"<p>line {number} of the old harbour's tide table</p>\n" for number in range(8000)).encode()


def curl(*arguments: str) -> tuple[dict[str, str], bytes]:
    """The fields of the answer, and its body as curl understands it."""
    command = ["curl", "-sS", "--max-time", "30", "-D", "-", *arguments]
    said = subprocess.run(command, check=True, capture_output=True).stdout
    head, _, body = said.partition(b"\r\n\r\n")
    lines = [line.partition(": ") for line in head.decode().split("\r\n")[1:]]
    return {name.lower(): value for name, _, value in lines}, body


def curl_reads(coding: str) -> bool:
    version = subprocess.run(["curl", "--version"], check=True, capture_output=True, text=True).stdout
    return {"gzip": "libz", "br": "brotli", "zstd": "zstd"}[coding] in version


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
@pytest.mark.parametrize("size", [600, 60_000, len(TEXT)])
@pytest.mark.parametrize("engine", ["fast", "hypercorn"])
def test_curl_reads_every_coding(
    serve_edgefile: Callable[..., Any], tmp_path: Path, coding: str, size: int, engine: str
) -> None:
    if not curl_reads(coding):
        pytest.skip(f"this curl does not read {coding}")
    (tmp_path / "page.html").write_bytes(TEXT[:size])
    url = serve_edgefile(f":80 {{\nencode {coding}\nfiles\n}}", engine=engine).url + "/page.html"
    fields, body = curl("--compressed", url)
    assert (fields["content-encoding"], fields["vary"]) == (coding, "accept-encoding")
    assert body == TEXT[:size]
    fields, body = curl(url)
    assert "content-encoding" not in fields
    assert body == TEXT[:size]
    assert curl("--compressed", "-H", f"If-None-Match: W/{fields['etag']}", url)[1] == b""


@pytest.fixture
def packing(nginx: Callable[..., Any]) -> Any:
    """An nginx that compresses."""
    made = nginx("packing", "gzip on; gzip_proxied any; types { text/html html; }")
    made.file("page.html", TEXT)
    return made


def test_what_nginx_compressed_is_passed_on_once(packing: Any, serve_edgefile: Callable[..., Any]) -> None:
    server = serve_edgefile(f":80 {{\nencode\nproxy {packing.address}\n}}")
    fields, body = curl("--compressed", "-H", "Accept-Encoding: gzip", f"{server.url}/page.html")
    assert fields["content-encoding"] == "gzip"
    assert body == TEXT


def test_what_nginx_compressed_is_changed(packing: Any, serve_edgefile: Callable[..., Any]) -> None:
    server = serve_edgefile(f":80 {{\nreplace old new\nreplace ~<p>(.*)</p> <b>$1</b>\nproxy {packing.address}\n}}")
    url = f"{server.url}/page.html"
    fields, body = curl("--compressed", "-H", "Accept-Encoding: gzip", url)
    expected = TEXT.replace(b"old", b"new").replace(b"<p>", b"<b>").replace(b"</p>", b"</b>")
    assert fields["content-encoding"] == "gzip"
    assert fields["etag"].startswith("W/")
    assert body == expected
    assert curl(url)[1] == expected
    fields, body = curl("-H", f"If-None-Match: {fields['etag']}", url)
    assert body == b""
