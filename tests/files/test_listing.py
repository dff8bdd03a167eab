from __future__ import annotations

import json
import os
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgescript.files.listing import SORTS, Listing, order, readable, wants_json
from edgescript.files.resolve import Hidden
from edgescript.http.message import HTTPError


class Links(HTMLParser):
    """The links of a page, as (address, text)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.tags: set[str] = set()
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        if tag == "a":
            self._inside = True
            self.found.append((dict(attrs)["href"], ""))

    def handle_data(self, data: str) -> None:
        if self._inside:
            address, text = self.found[-1]
            self.found[-1] = address, text + data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._inside = False


@pytest.fixture
def listed(site: Any) -> Any:
    site.configure(listing=Listing())
    for number, (name, size) in enumerate([("b.txt", 300), ("A.txt", 20), ("c.txt", 1), ("folder/x", 5)]):
        os.utime(site.write(name, b"x" * size), (1_000_000_000 + number, 1_000_000_000 + number))
    return site


def names(got: Any) -> list[str]:
    return [item["name"] for item in json.loads(got.body)]


def test_a_folder_is_listed_as_a_page(listed: Any) -> None:
    got = listed.ask("/")
    assert (got.status, got["content-type"], got["vary"]) == (200, "text/html; charset=utf-8", "accept")
    links = Links(got.body.decode()).found
    assert [link for link in links if link[0].startswith("./") and link != ("./", "/")] == [
        ("./folder/", "folder/"),
        ("./A.txt", "A.txt"),
        ("./b.txt", "b.txt"),
        ("./c.txt", "c.txt"),
    ]
    assert ("../", "../") not in links
    assert "1 folder, 3 files, 321 B" in got.body.decode()


def test_a_folder_below_has_a_way_up(listed: Any) -> None:
    listed.write("folder/deeper/x")
    links = Links(listed.ask("/folder/deeper/").body.decode()).found
    assert links[:3] == [("../../", "/"), ("../", "folder/"), ("./", "deeper/")]
    assert ("../", "../") in links


def test_a_folder_is_listed_at_its_canonical_address(listed: Any) -> None:
    assert listed.ask("/folder")["location"] == "/folder/"
    assert listed.configure(canonical=False).ask("/folder").status == 200


def test_an_index_file_goes_before_a_listing(listed: Any) -> None:
    listed.write("index.html", "page")
    assert listed.ask("/").body == b"page"


def test_programs_get_json(listed: Any) -> None:
    got = listed.ask("/", accept="application/json")
    assert got["content-type"] == "application/json"
    assert json.loads(got.body)[1] == {
        "name": "A.txt",
        "size": 20,
        "url": "./A.txt",
        "mod_time": "2001-09-09T01:46:41Z",
        "mode": os.stat(listed.root / "A.txt").st_mode,
        "is_dir": False,
        "is_symlink": False,
    }
    assert json.loads(got.body)[0]["name"] == "folder/"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/json", True),
        ("application/json;q=0.5, text/html;q=0.4", True),
        ("text/html, application/json", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_json_is_what_is_asked_for_before_a_page(accept: str, expected: bool) -> None:
    assert wants_json([(b"accept", accept.encode())]) is expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["folder/", "A.txt", "b.txt", "c.txt"]),
        ("?sort=name", ["A.txt", "b.txt", "c.txt", "folder/"]),
        ("?sort=name&order=desc", ["folder/", "c.txt", "b.txt", "A.txt"]),
        ("?sort=size", ["folder/", "c.txt", "A.txt", "b.txt"]),
        ("?sort=size&order=desc", ["b.txt", "A.txt", "c.txt", "folder/"]),
        ("?sort=name&limit=2", ["A.txt", "b.txt"]),
        ("?sort=name&limit=2&offset=1", ["b.txt", "c.txt"]),
        ("?sort=name&offset=3", ["folder/"]),
        ("?offset=100", []),
        ("?sort=nonsense&order=x&limit=-1&offset=a", ["folder/", "A.txt", "b.txt", "c.txt"]),
    ],
)
def test_the_query_orders_a_listing(listed: Any, query: str, expected: list[str]) -> None:
    assert names(listed.ask(f"/{query}", accept="application/json")) == expected


def test_a_listing_by_time_begins_with_the_oldest(listed: Any) -> None:
    found = names(listed.ask("/?sort=time", accept="application/json"))
    assert [name for name in found if name != "folder/"] == ["b.txt", "A.txt", "c.txt"]


@given(st.binary(max_size=80))
def test_no_query_is_too_strange(query: bytes) -> None:
    asked = order(query)
    assert asked.sort in SORTS
    assert asked.offset >= 0


def test_a_query_with_too_many_fields_is_passed_over() -> None:
    assert order(b"sort=size" + b"&a=b" * 1000).sort == "namedirfirst"


def test_names_are_text_and_never_markup(listed: Any) -> None:
    evil = '<img src=x onerror="alert(1)">&amp;'
    listed.write(evil)
    listed.write("javascript:alert(1)")
    listed.write("a'b\"c.txt")
    listed.write("folder/<script>/x")
    page = listed.ask("/").body.decode()
    parsed = Links(page)
    assert "img" not in parsed.tags
    assert ("./%3Cimg%20src%3Dx%20onerror%3D%22alert%281%29%22%3E%26amp%3B", evil) in parsed.found
    assert ("./javascript%3Aalert%281%29", "javascript:alert(1)") in parsed.found
    assert not any(address.startswith("javascript") for address, _ in parsed.found)
    assert "script" not in Links(listed.ask("/folder/%3Cscript%3E/").body.decode()).tags


def test_names_that_are_no_text_are_listed_and_can_be_followed(listed: Any) -> None:
    with open(os.fsencode(listed.root) + b"/caf\xe9", "w") as file:
        file.write("x")
    item = next(item for item in json.loads(listed.ask("/", accept="application/json").body) if "caf" in item["name"])
    assert (item["name"], item["url"]) == ("caf\ufffd", "./caf%E9")
    assert listed.ask(item["url"][1:]).body == b"x"
    assert "caf\ufffd" in listed.ask("/").body.decode()


def test_what_would_not_be_served_is_not_listed(listed: Any) -> None:
    listed.configure(hidden=Hidden(["*.bak"], directory=str(listed.root)))
    for name in (".env", "Edgefile", "a.bak", ".well-known/x"):
        listed.write(name)
    (listed.root.parent / "secret").write_text("x")
    (listed.root / "out").symlink_to("../secret")
    (listed.root / "dangling").symlink_to("nowhere")
    (listed.root / "in").symlink_to("folder")
    os.mkfifo(listed.root / "fifo")
    got = json.loads(listed.ask("/", accept="application/json").body)
    assert {item["name"]: item["is_symlink"] for item in got} == {
        ".well-known/": False,
        "A.txt": False,
        "b.txt": False,
        "c.txt": False,
        "folder/": False,
        "in/": True,
    }


def test_only_so_many_entries_are_read(listed: Any) -> None:
    listed.configure(listing=Listing(most=2))
    assert len(names(listed.ask("/", accept="application/json"))) == 2
    assert "only 2 entries were read" in listed.ask("/").body.decode()


def test_head_says_what_get_would(listed: Any) -> None:
    got, head = listed.ask("/"), listed.ask("/", "HEAD")
    assert head.body == b""
    assert head.headers == [*got.headers, (b"content-length", str(len(got.body)).encode())]


def test_a_page_of_ones_own_is_used(listed: Any, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("{{ path }}: {% for item in items %}{{ item.name }} {% endfor %}")
    listed.configure(listing=Listing(template=str(page)))
    assert listed.ask("/").body == b"/: folder/ A.txt b.txt c.txt "


@pytest.mark.parametrize("text", [None, "{% for %}", "{{ nothing.at.all }}", b"\xff"])
def test_a_page_of_ones_own_with_a_mistake_is_an_error(
    listed: Any, make_exchange: Any, tmp_path: Path, text: Any
) -> None:
    page = tmp_path / "page.html"
    if text is not None:
        page.write_bytes(text if isinstance(text, bytes) else text.encode())
    listed.configure(listing=Listing(template=str(page)))
    with pytest.raises(HTTPError) as caught:
        listed.response(make_exchange("/"))
    assert caught.value.status == 500
    assert "page.html" in caught.value.reason


def test_a_time_that_no_calendar_has_is_left_out(listed: Any) -> None:
    os.utime(listed.root / "A.txt", (-(10**11), -(10**11)))
    assert listed.ask("/").status == 200


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (4_404_019, "4.2 MiB"),
        (2**40, "1.0 TiB"),
        (2**52, "4096.0 TiB"),
    ],
)
def test_sizes_are_readable(size: int, expected: str) -> None:
    assert readable(size) == expected
