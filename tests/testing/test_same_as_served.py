"""What a test is answered is what a client of the running server gets."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgescript.testing import Edge, Reply

SITE = """
:0 {
    root public
    header /changed/* {
        X-One 1
        -Server
    }
    @writes method POST PUT
    request_body {
        max_size 10
    }
    respond @writes 201 "{method} {header.X-Sent}"
    handle_path /api/* {
        proxy ORIGIN
    }
    handle /changed/* {
        respond "changed"
    }
    handle /empty {
        respond 204
    }
    handle /gone {
        error 410 "long gone"
    }
    handle /abort {
        abort
    }
    redir /old /new 308
    files
    handle_errors 404 {
        respond "nothing at {uri}, {err.message}"
    }
}
"""
ORIGIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Origin: 1\r\nServer: origin\r\n\r\nhello"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "a.txt").write_text("a file\n" * 10_000)
    (tmp_path / "public" / "index.html").write_text("<p>hello</p>")
    return tmp_path


@pytest.mark.parametrize(
    ("method", "path", "headers", "body"),
    [
        ("GET", "/", {}, b""),
        ("GET", "/a.txt", {}, b""),
        ("HEAD", "/a.txt", {}, b""),
        ("GET", "/a.txt", {"Range": "bytes=3-7"}, b""),
        ("GET", "/a.txt", {"Range": "bytes=80000-"}, b""),
        ("GET", "/a.txt", {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}, b""),
        ("GET", "/missing?x=%C3%A9", {}, b""),
        ("GET", "/changed/x", {}, b""),
        ("HEAD", "/changed/x", {}, b""),
        ("GET", "/empty", {}, b""),
        ("GET", "/gone", {}, b""),
        ("GET", "/abort", {}, b""),
        ("GET", "/old?x", {}, b""),
        ("GET", "/api/x", {}, b""),
        ("HEAD", "/api/x", {}, b""),
        ("POST", "/x", {"X-Sent": "yes"}, b"short"),
        ("OPTIONS", "/a.txt", {}, b""),
        ("GET", "/%zz", {}, b""),
        ("GET", "/a/../a.txt", {}, b""),
    ],
)
def test_the_answer_is_the_one_that_is_served(
    site: Path,
    serve_edgefile: Callable[..., Any],
    origin: Callable[..., Any],
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
) -> None:
    upstream = origin(ORIGIN if method != "HEAD" else ORIGIN.removesuffix(b"hello"))
    text = SITE.replace("ORIGIN", upstream.address)
    server = serve_edgefile(text, directory=str(site))
    edge = Edge(site / "Edgefile", text=text)
    edge.upstream("*", Reply(headers=[("X-Origin", "1"), ("Server", "origin")], body="hello"))
    response = edge.request(method, path, headers=headers, body=body)
    assert (response.status, sorted(response.headers.pairs), response.body) == served(
        server.port, method, path, headers, body
    )


def served(
    port: int, method: str, path: str, headers: dict[str, str], body: bytes
) -> tuple[int, list[tuple[str, str]], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, headers={"Host": "localhost", **headers}, body=body or None)
        response = connection.getresponse()
        fields = [(name.lower(), value) for name, value in response.getheaders()]
        return (
            response.status,
            sorted(field for field in fields if field[0] not in ("date", "connection")),
            response.read(),
        )
    except http.client.RemoteDisconnected:
        return 0, [], b""
    finally:
        connection.close()
