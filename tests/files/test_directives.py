"""`files`, `try_files` and `root` as they are written, through the compiled graph."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgescript.catalog import Catalogue
from edgescript.graph.load import load
from edgescript.http.message import HTTPError
from edgescript.server.serve import serve
from edgescript.text.source import Source

Ask = Callable[..., tuple[int, bytes]]


def compiled(text: str, directory: Path) -> tuple[Any, list[Any]]:
    return load(Source("Edgefile", text), catalogue=Catalogue.load(), environment={}, directory=str(directory))


@pytest.fixture
def www(tmp_path: Path) -> Path:
    """A folder of files, in the folder of the Edgefile."""
    for name, text in {
        "www/index.html": "home",
        "www/a.txt": "a",
        "www/app/index.html": "app",
        "www/.env": "secret",
        "www/keep.bak": "bak",
        "www/private/x.txt": "x",
        "www/empty/x.txt": "x",
        "www/404.html": "lost",
        "www/style.css": "plain",
        "www/style.css.gz": "packed",
        "sites/example.com/index.html": "site of example.com",
        "index.html": "beside the Edgefile",
    }.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


@pytest.fixture
def site_of(www: Path, make_exchange: Any) -> Callable[[str], Ask]:
    """Compiles the directives of one site, and gives a function that asks it."""

    def build(directives: str) -> Ask:
        graph, problems = compiled(f":80 {{\n{directives}\n}}\n", www)
        assert not problems
        assert graph is not None

        def ask(target: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
            fields = {name.replace("_", "-"): value for name, value in headers.items()}
            response = serve(make_exchange(target, method, fields), graph.listeners[0])
            if asyncio.iscoroutine(response):
                response = asyncio.run(response)
            body = response.body
            location = next((value for name, value in response.headers if name == b"location"), None)
            return response.status, location or body

        return ask

    return build


def test_a_root_may_be_given_in_every_way(site_of: Any, www: Path) -> None:
    for text in (
        "files www",
        "files ./www",
        f"files {www}/www",
        "files {\nroot www\n}",
        "root www\nfiles",
        f"root {www}/www\nfiles",
    ):
        assert site_of(text)("/") == (200, b"home"), text


def test_a_site_without_root_has_the_files_beside_the_edgefile(site_of: Any) -> None:
    assert site_of("files")("/") == (200, b"beside the Edgefile")


def test_files_answers_what_its_matcher_takes(site_of: Any) -> None:
    ask = site_of('files /*.txt www\nrespond "below"')
    assert ask("/a.txt") == (200, b"a")
    assert ask("/") == (200, b"below")


def test_the_options_reach_the_answer(site_of: Any) -> None:
    ask = site_of(
        """files www {
            index a.txt
            hide *.bak
            hide ./www/private style.*
            dotfiles
            canonical_uris off
        }"""
    )
    assert ask("/") == (200, b"a")
    assert ask("/keep.bak")[0] == 404
    assert ask("/private/x.txt")[0] == 404
    assert ask("/style.css")[0] == 404
    assert ask("/.env") == (200, b"secret")
    assert ask("/app")[0] == 404


def test_the_defaults_are_those_of_the_documentation(site_of: Any) -> None:
    ask = site_of("files www")
    assert ask("/.env")[0] == 404
    assert ask("/app") == (308, b"/app/")
    assert ask("/app/") == (200, b"app")
    assert ask("/empty/")[0] == 404
    assert ask("/style.css", accept_encoding="gzip") == (200, b"plain")
    assert ask("/a.txt", "POST")[0] == 405


def test_folders_are_listed_where_browse_is_on(site_of: Any) -> None:
    status, body = site_of("files www {\nbrowse\n}")("/empty/")
    assert status == 200
    assert b"./x.txt" in body
    status, body = site_of("files www {\nbrowse {\nlimit 1\n}\n}")("/empty/", accept="application/json")
    assert (status, body[:1]) == (200, b"[")


@pytest.mark.parametrize("line", ["precompressed", "precompressed gzip br"])
def test_siblings_are_sent_where_precompressed_is_on(site_of: Any, line: str) -> None:
    assert site_of(f"files www {{\n{line}\n}}")("/style.css", accept_encoding="gzip") == (200, b"packed")


def test_links_are_followed_as_told(site_of: Any, www: Path) -> None:
    (www / "www" / "out").symlink_to("../index.html")
    (www / "www" / "in").symlink_to("a.txt")
    expected = {"inside": (404, 200), "off": (404, 404), "on": (200, 200)}
    for word, statuses in expected.items():
        ask = site_of(f"files www {{\nsymlinks {word}\n}}")
        assert (ask("/out")[0], ask("/in")[0]) == statuses


def test_a_status_replaces_200(site_of: Any) -> None:
    assert site_of("files www {\nstatus 503\n}")("/a.txt") == (503, b"a")


def test_what_is_missing_is_passed_on_where_told(site_of: Any) -> None:
    ask = site_of('files www {\npass_thru\n}\nrespond "below"')
    assert ask("/missing") == (200, b"below")
    assert ask("/a.txt") == (200, b"a")


def test_files_makes_error_pages(site_of: Any) -> None:
    ask = site_of("error /forbidden* 403\nfiles www\nhandle_errors {\nrewrite /404.html\nfiles www\n}")
    assert ask("/missing") == (404, b"lost")
    assert ask("/a.txt", "POST") == (405, b"lost")


def test_a_root_may_depend_on_the_request(site_of: Any) -> None:
    for text in ("root sites/{host}\nfiles", "files sites/{host}"):
        ask = site_of(text)
        assert ask("/") == (200, b"site of example.com")
        assert ask("/", host="...")[0] in (400, 404)


@pytest.mark.parametrize("links", ["inside", "off", "on"])
def test_the_configuration_is_not_served_under_any_name(www: Path, make_exchange: Any, links: str) -> None:
    text = f":80 {{\nfiles . {{\nsymlinks {links}\nbrowse\n}}\n}}\n"
    folder = www / "www" / "empty"
    (folder / "site.conf").write_text(text)
    (folder / "loop").symlink_to(".")
    source = Source(str(folder / "loop" / "site.conf"), text)
    graph, _ = load(source, catalogue=Catalogue.load(), environment={}, directory=str(folder))
    assert graph is not None
    for target in ("/site.conf", "/loop/site.conf"):
        assert serve(make_exchange(target), graph.listeners[0]).status == 404
    listing = serve(make_exchange("/"), graph.listeners[0]).body
    assert b"x.txt" in listing
    assert b"site.conf" not in listing


def test_explain_names_the_file(www: Path, make_exchange: Any) -> None:
    graph, _ = compiled(":80 {\nfiles sites/{host}\n}\n", www)
    explain = next(step.explain for step in graph.sites[0].program.steps if step.name == "files")
    folder = www / "sites" / "example.com"
    (folder / "caf\udce9").write_text("")
    assert explain(make_exchange("/caf%E9")) == f"answer 200 with {folder}/caf\ufffd"
    with pytest.raises(HTTPError, match="there is no file"):
        explain(make_exchange("/caf"))
    with pytest.raises(HTTPError, match="the root"):
        explain(make_exchange("/", headers={"host": "..."}))


def test_the_last_root_that_matches_counts(site_of: Any) -> None:
    ask = site_of("root www\nroot /sites/* .\nfiles")
    assert ask("/a.txt") == (200, b"a")
    assert ask("/sites/example.com/") == (200, b"site of example.com")


# ---- try_files


@pytest.mark.parametrize(
    ("line", "target", "expected"),
    [
        ("try_files {path} /index.html", "/a.txt", (200, b"a")),
        ("try_files {path} /index.html", "/some/page", (200, b"home")),
        ("try_files {path} {path}/ /index.html", "/app", (308, b"/app/")),
        ("try_files {path} {path}/ /index.html", "/app/", (200, b"app")),
        ("try_files {path}.txt =410", "/a", (200, b"a")),
        ("try_files {path}.txt =410", "/b", (410, None)),
        ("try_files {path} =404", "/../../etc/passwd", (404, None)),
        ("try_files {query} =404", "/x?../../index.html", (200, b"home")),
        ("try_files {query} =404", "/x?../../../../../../etc/passwd", (404, None)),
        ("try_files /missing", "/a.txt", (200, b"a")),
        ("try_files {path} /404.html {\npolicy first_exist_fallback\n}", "/x", (200, b"lost")),
        ("try_files {path} /gone.html {\npolicy first_exist_fallback\n}", "/x", (404, None)),
        ("try_files /a.txt /index.html {\npolicy largest_size\n}", "/x", (200, b"home")),
        ("try_files /index.html /a.txt {\npolicy smallest_size\n}", "/x", (200, b"a")),
    ],
)
def test_try_files_takes_what_is_there(
    site_of: Any, line: str, target: str, expected: tuple[int, bytes | None]
) -> None:
    status, body = site_of(f"root www\n{line}\nfiles")(target)
    assert status == expected[0]
    if expected[1] is not None:
        assert body == expected[1]


@pytest.mark.parametrize(
    ("candidate", "target", "expected"),
    [
        ("{path}", "/a.txt?q=1", b"/a.txt?q=1"),
        ("/a.txt?path={path}&{query}", "/x%20y?q=1", b"/a.txt?path=%2Fx%20y&q=1"),
        ("/a.txt?p={path}", "/x%0D%0Ay", b"/a.txt?p=%2Fx%0D%0Ay"),
        ("/a.txt?", "/x?q=1", b"/a.txt"),
        ("/a.txt", "/x?q=1", b"/a.txt?q=1"),
    ],
)
def test_try_files_may_bring_a_query_of_its_own(site_of: Any, candidate: str, target: str, expected: bytes) -> None:
    assert site_of(f'root www\ntry_files {candidate}\nrespond "{{uri}}"')(target) == (200, expected)


def test_a_question_mark_in_a_name_is_part_of_the_name(site_of: Any, www: Path) -> None:
    (www / "www" / "what?.txt").write_text("what")
    assert site_of("root www\ntry_files {path} =404\nfiles")("/what%3F.txt") == (200, b"what")


# ---- mistakes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("files browse", '"browse" would be the folder here'),
        ("files www {\nindex a/b.html\n}", "an index file is a name"),
        ("files www {\nsymlinks maybe\n}", "inside, off or on"),
        ("files www {\nprecompressed deflate\n}", "br, zstd or gzip"),
        ("files www {\nstatus 999\n}", "status code"),
        ("files www {\nbrowse {\nlimit 0\n}\n}", "limit"),
        ("files www {\nbrowse missing.html\n}", "missing.html"),
        ("files www {\nbrowse broken.html\n}", "broken.html"),
        ("files /srv/{nonsense}", "nonsense"),
        ("try_files", "try_files"),
        ("try_files =404 {path}", "a status can only be the last"),
        ("try_files =404", "nothing to try before the status"),
        ("try_files {path} =nope", "a status code behind the ="),
        ("try_files {path}?{nonsense}", "nonsense"),
        ("root", "root"),
    ],
)
def test_a_mistake_is_told(www: Path, text: str, message: str) -> None:
    (www / "broken.html").write_text("{% for %}")
    graph, problems = compiled(f":80 {{\nrespond /x 200\n{text}\n}}\n", www)
    assert graph is None
    assert any(message in problem.message for problem in problems), problems
