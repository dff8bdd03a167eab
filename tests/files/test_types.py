from __future__ import annotations

import pytest

from edgescript.files.types import content_type


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/index.html", b"text/html; charset=utf-8"),
        ("/INDEX.HTML", b"text/html; charset=utf-8"),
        ("/app.js", b"text/javascript; charset=utf-8"),
        ("/app.mjs", b"text/javascript; charset=utf-8"),
        ("/style.css", b"text/css; charset=utf-8"),
        ("/notes.txt", b"text/plain; charset=utf-8"),
        ("/data.json", b"application/json"),
        ("/logo.svg", b"image/svg+xml"),
        ("/app.wasm", b"application/wasm"),
        ("/font.woff2", b"font/woff2"),
        ("/photo.webp", b"image/webp"),
        ("/archive.tar.gz", b"application/gzip"),
        ("/README", b"application/octet-stream"),
        ("/a.unheard-of", b"application/octet-stream"),
        ("/folder.d/README", b"application/octet-stream"),
        ("/.profile", b"application/octet-stream"),
        ("/.hidden.html", b"text/html; charset=utf-8"),
        ("/trailing.", b"application/octet-stream"),
        ("noslash.png", b"image/png"),
    ],
)
def test_the_suffix_decides_the_type(name: str, expected: bytes) -> None:
    assert content_type(name) == expected


def test_a_type_that_only_python_knows_is_found() -> None:
    assert content_type("/sheet.xls") == b"application/vnd.ms-excel"
