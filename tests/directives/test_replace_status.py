"""`replace_status`: what it changes, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgescript.testing import Edge, EdgefileError


def answered(lines: str, method: str = "GET", **fields: str) -> tuple[int, str]:
    answer = Edge(text=f":80 {{\n{lines}\n}}\n").request(method, "http://localhost/", headers=fields)
    return answer.status, answer.text


@pytest.mark.parametrize(
    ("lines", "status", "body"),
    [
        ("replace_status 202\nrespond ok", 202, "ok"),
        ("replace_status /x 202\nrespond ok", 200, "ok"),
        ("replace_status 202\nerror 404\nhandle_errors {\nrespond gone\n}", 202, "gone"),
        ("intercept 404 {\nreplace_status 410\n}\nrespond gone 404", 410, "gone"),
        ("intercept 404 {\nreplace_status 410\n}\nrespond ok", 200, "ok"),
        ("intercept 410 {\nrespond outer\n}\nintercept 404 {\nreplace_status 410\n}\nrespond gone 404", 410, "outer"),
        # The innermost acts first, and what stands above sees what it has made.
        ("replace_status 201\nreplace_status 202\nrespond ok", 201, "ok"),
        ("replace_status 204\nrespond ok", 204, ""),
    ],
)
def test_the_status_is_another_and_the_body_the_same(lines: str, status: int, body: str) -> None:
    assert answered(lines) == (status, body)


def test_parts_and_what_has_not_changed_stay(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    edge = Edge(tmp_path / "Edgefile", text=f":80 {{\nreplace_status 201\nroot {tmp_path}\nfiles\n}}\n")
    whole = edge.get("/a.txt")
    assert whole.status == 201
    assert edge.get("/a.txt", headers={"Range": "bytes=0-1"}).status == 206
    assert edge.get("/a.txt", headers={"If-None-Match": whole.headers["etag"]}).status == 304


@pytest.mark.parametrize("status", ["103", "206", "304", "2xx", "600", ""])
def test_a_status_that_no_response_can_be_given_is_a_problem(status: str) -> None:
    with pytest.raises(EdgefileError):
        answered(f"replace_status {status}\nrespond ok")
