"""`templates`: which responses are filled in, what pages may use, and what becomes of the response's fields."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from edgescript.testing import Edge, Reply, Unanswered


@pytest.fixture
def site(tmp_path: Path) -> Any:
    """`site(lines, **files)` answers requests to a site with these lines, in a folder with these files."""

    def make(lines: str, **files: str) -> Edge:
        for name, text in files.items():
            (tmp_path / name.replace("__", ".")).write_text(text)
        path = tmp_path / "Edgefile"
        path.write_text(f":80 {{\n{lines}\n}}\n")
        return Edge(path, environment={})

    return make


def test_a_file_is_filled_in_and_says_nothing_of_its_source(site: Any) -> None:
    edge = site("templates\nfiles", page__html="<p>{{ req.path }}</p>")
    answer = edge.get("/page.html", headers={"Range": "bytes=0-3", "If-None-Match": '"x"'})
    assert (answer.status, answer.text) == (200, "<p>/page.html</p>")
    for name in ("etag", "last-modified", "accept-ranges"):
        assert name not in answer.headers
    assert answer.headers["content-length"] == "17"


def test_a_head_request_has_the_length_of_the_page(site: Any) -> None:
    edge = site("templates\nfiles", page__html="{{ req.method }}")
    answer = edge.request("HEAD", "/page.html")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "4")


def test_a_page_is_sent_to_whoever_has_it_from_before_it_was_a_template(site: Any) -> None:
    path = {"page__html": "{{ 1 + 1 }}"}
    before = site("files", **path).get("/page.html").headers
    asked = {"If-None-Match": before["etag"], "If-Modified-Since": before["last-modified"]}
    answer = site("templates\nfiles", **path).get("/page.html", headers=asked)
    assert (answer.status, answer.text) == (200, "2")


def test_the_conditions_of_a_write_are_left_to_those_below(site: Any) -> None:
    edge = site("templates\nheader X-Asked {header.If-None-Match}\nrespond ok")
    assert edge.request("PUT", "/x", headers={"If-None-Match": "*"}).headers["x-asked"] == "*"


def test_a_field_that_a_page_sets_cannot_begin_another(site: Any) -> None:
    edge = site("templates\nfiles", page__html="{{ set_header('X-A', req.query.q) }}ok")
    answer = edge.get("/page.html?q=a%0d%0aX-Evil:%201")
    assert answer.headers["x-a"].split() == ["a", "X-Evil:", "1"]
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize("name", ["", "a b", "X-A:", "X-A\\r\\nX-Evil: 1", "é"])
def test_a_field_that_a_page_sets_has_a_name(site: Any, name: str) -> None:
    edge = site("templates\nfiles", page__html=f"{{{{ set_header('{name}', '1') }}}}ok")
    with pytest.raises(Unanswered, match="is no name of a header field"):
        edge.get("/page.html")


def test_other_types_are_left_alone_with_their_ranges(site: Any) -> None:
    edge = site("templates\nfiles", data__json='{"a": "{{ x }}"}')
    answer = edge.get("/data.json", headers={"Range": "bytes=0-3"})
    assert (answer.status, answer.text) == (206, '{"a"')
    assert "etag" in edge.get("/data.json").headers


@pytest.mark.parametrize(
    ("lines", "reply", "body"),
    [
        ("templates", Reply(200, [("Content-Type", "text/html")], b"{{ 1 + 1 }}"), b"2"),
        ("templates", Reply(404, [("Content-Type", "text/html; charset=utf-8")], b"{{ status }}"), b"404"),
        ("templates", Reply(200, [("Content-Type", "application/json")], b"{{ 1 }}"), b"{{ 1 }}"),
        ("templates", Reply(200, [], b"{{ 1 }}"), b"{{ 1 }}"),
        ("templates {\nmime application/json\n}", Reply(200, [("Content-Type", "application/JSON")], b"{{ 1 }}"), b"1"),
        (
            "templates",
            Reply(
                200, [("Content-Type", "text/html"), ("Content-Encoding", "gzip")], gzip.compress(b"{{ 1 }}", mtime=0)
            ),
            gzip.compress(b"{{ 1 }}", mtime=0),
        ),
        ("templates", Reply(200, [("Content-Type", "text/html")], b"\xff{{ 1 }}"), b"\xff1"),
    ],
)
def test_responses_of_a_server_are_filled_in_by_their_type(site: Any, lines: str, reply: Reply, body: bytes) -> None:
    edge = site(f"{lines}\nproxy 10.0.0.1:80")
    edge.upstream("10.0.0.1:80", reply)
    assert edge.get("/x").body == body


def test_the_server_is_not_asked_for_parts_or_compressed_pages(site: Any) -> None:
    edge = site("templates\nproxy 10.0.0.1:80")
    server = edge.upstream("10.0.0.1:80", Reply(200, [("Content-Type", "text/html")], b"x"))
    edge.get("/x", headers={"Range": "bytes=0-1", "Accept-Encoding": "gzip", "If-Range": '"a"', "X-Other": "y"})
    names = {name.lower() for name, _ in server.received[0].headers}
    assert "x-other" in names
    assert names.isdisjoint({"range", "accept-encoding", "if-range"})


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("{{ req.query.q }}{{ req.query.r }}{{ req.query.none }}", "1&lt;b&gt;"),
        ("{{ req.headers['X-A'] }} {{ req.headers.host }}", "a shop.example"),
        ("{{ req.cookies.c }}", "chip"),
        ("{{ req.vars.v }} {{ own }}", "set GET"),
        ("{{ req.host }} {{ req.scheme }} {{ req.uri }}", "shop.example http /p.html?q=1&amp;r=%3Cb%3E"),
        ("{{ read_file('part.txt') }}", "&lt;part&gt;"),
        ("{{ list_files() | join(' ') }}", "p.html part.txt"),
        (
            "{{ file_exists('/part.txt') }}{{ file_exists('/none') }}{{ file_exists('../../etc/passwd') }}",
            "TrueFalseFalse",
        ),
        ("{{ http_include('/part.txt') }}", "<part>"),
        ("{{ http_include('/inner.html') }}", "inner: /inner.html"),
        ("{% include 'part.txt' %}", "<part>"),
        ("{{ set_header('X-B', 'c') }}", ""),
    ],
)
def test_a_page_may_use_what_the_documentation_lists(site: Any, page: str, text: str) -> None:
    lines = """
    vars v set
    templates {
        set own {method}
    }
    handle /inner.html {
        header Content-Type text/html
        respond "inner: {{ req.path }}"
    }
    files
    """
    edge = site(lines, p__html=page, part__txt="<part>")
    headers = {"Host": "shop.example", "X-A": "a", "Cookie": "c=chip; d=x"}
    answer = edge.get("/p.html?q=1&r=%3Cb%3E", headers=headers)
    assert (answer.status, answer.text) == (200, text)
    if "set_header" in page:
        assert answer.headers["x-b"] == "c"


@pytest.mark.parametrize(
    ("page", "status"),
    [("{{ http_error(410) }}", 410), ("{{ http_include('/gone') }}", 404), ("{{ http_include('/p.html') }}", 500)],
)
def test_a_page_may_end_in_an_error_of_the_site(site: Any, page: str, status: int) -> None:
    edge = site('templates\nerror /gone 404\nfiles\nhandle_errors {\nrespond "{err.status}"\n}', p__html=page)
    answer = edge.get("/p.html")
    assert (answer.status, answer.text) == (status, str(status))


@pytest.mark.parametrize(
    "page", ["{% if %}", "{{ x.y.z }}", "{{ http_include('http://elsewhere/') }}", "{{ http_error(200) }}"]
)
def test_a_page_that_is_wrong_is_an_error_that_the_log_explains(site: Any, page: str) -> None:
    with pytest.raises(Unanswered, match=r"in the page that /p\.html gave"):
        site("templates\nfiles", p__html=page).get("/p.html")


def test_a_page_that_is_too_large_is_an_error(site: Any) -> None:
    edge = site("templates {\nmax_size 10B\n}\nfiles\nhandle_errors {\nrespond {err.message}\n}", p__html="x" * 11)
    answer = edge.get("/p.html")
    assert answer.status == 500
    assert "more than 10 bytes" in answer.text


def test_the_configuration_and_hidden_files_are_not_to_be_read(site: Any, tmp_path: Path) -> None:
    (tmp_path / ".secret").write_text("SECRET")
    page = "{% include '/.secret' ignore missing %}{% include '/Edgefile' ignore missing %}{{ list_files() }}"
    answer = site("templates\nfiles", p__html=page).get("/p.html")
    assert "SECRET" not in answer.text
    assert "templates" not in answer.text
    assert "Edgefile" not in answer.text
