"""What the client asked with decides how its response is framed, whatever `method` has made of it."""

from __future__ import annotations

import httpx
import pytest

SITE = ":80 {\n method /get GET\n method /head HEAD\n respond {method}\n}"


@pytest.mark.parametrize("engine", ["fast", "hypercorn"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("HEAD", "/get", ""), ("GET", "/head", "HEAD"), ("HEAD", "/head", ""), ("GET", "/get", "GET")],
)
def test_the_next_response_comes_where_it_belongs(serve_edgefile, engine, method, path, body):
    server = serve_edgefile(SITE, engine=engine)
    with httpx.Client() as client:
        for _ in range(2):
            answer = client.request(method, f"{server.url}{path}")
            assert (answer.status_code, answer.text) == (200, body)
            assert answer.headers["content-length"] in ("3", "4")


@pytest.mark.parametrize(("method", "path"), [("HEAD", "/get"), ("GET", "/head")])
def test_through_a_proxy_as_well(serve_edgefile, method, path):
    upstream = serve_edgefile(":80 {\n respond hello\n}")
    server = serve_edgefile(f":80 {{\n method /get GET\n method /head HEAD\n proxy 127.0.0.1:{upstream.port}\n}}")
    with httpx.Client() as client:
        for _ in range(2):
            answer = client.request(method, f"{server.url}{path}")
            assert (answer.status_code, answer.text) == (200, "")


@pytest.mark.parametrize(("method", "path"), [("HEAD", "/get"), ("GET", "/head")])
def test_with_a_method_of_the_proxy_as_well(serve_edgefile, method, path):
    upstream = serve_edgefile(":80 {\n respond hello\n}")
    at = f"127.0.0.1:{upstream.port}"
    server = serve_edgefile(
        f":80 {{\n proxy /get {at} {{\n method GET\n }}\n proxy /head {at} {{\n method HEAD\n }}\n}}"
    )
    with httpx.Client() as client:
        for _ in range(2):
            answer = client.request(method, f"{server.url}{path}")
            assert (answer.status_code, answer.text) == (200, "")


@pytest.mark.parametrize("engine", ["fast", "hypercorn"])
@pytest.mark.parametrize(("method", "path"), [("HEAD", "/get"), ("GET", "/head")])
def test_with_a_file_as_well(no_leaks, serve_edgefile, tmp_path, engine, method, path):
    (tmp_path / "get").write_bytes(b"x" * 100_000)
    (tmp_path / "head").write_bytes(b"x" * 100_000)
    server = serve_edgefile(f":80 {{\n method /get GET\n method /head HEAD\n files {tmp_path}\n}}", engine=engine)
    with httpx.Client() as client:
        for _ in range(2):
            answer = client.request(method, f"{server.url}{path}")
            assert (answer.status_code, answer.text) == (200, "")
