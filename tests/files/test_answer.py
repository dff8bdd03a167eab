from __future__ import annotations

import os
from typing import Any

import pytest

from edgescript.files import answer
from edgescript.files.listing import Listing
from edgescript.files.resolve import Hidden
from edgescript.http.body import FileRange
from edgescript.http.message import HTTPError

OLD = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT
OLD_DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


def aged(file: Any) -> Any:
    os.utime(file, (OLD, OLD))
    return file


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture(autouse=True)
def _nothing_stays_open() -> Any:
    before = open_descriptors()
    yield
    assert open_descriptors() == before


# ---- plain files


def test_a_file_is_sent_with_its_type_and_validators(site: Any) -> None:
    aged(site.write("a.txt", "0123456789"))
    got = site.ask("/a.txt")
    assert (got.status, got.body) == (200, b"0123456789")
    assert got.headers == [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"etag", b'"ae1b981bc490a00-a"'),
        (b"last-modified", OLD_DATE.encode()),
        (b"accept-ranges", b"bytes"),
    ]


def test_an_empty_file_is_a_file(site: Any) -> None:
    site.write("empty.txt")
    assert (site.ask("/empty.txt").status, site.ask("/empty.txt").body) == (200, b"")


@pytest.mark.parametrize("size", [answer.SMALL - 1, answer.SMALL, answer.SMALL + 1, 1_000_000])
def test_a_file_of_any_size_is_whole_again_and_again(site: Any, make_exchange: Any, size: int) -> None:
    data = os.urandom(size)
    site.write("data", data)
    for _ in range(3):
        assert site.ask("/data").body == data
    response = site.response(make_exchange("/data"))
    assert isinstance(response.body, FileRange) == (size > answer.SMALL)
    if isinstance(response.body, FileRange):
        os.close(response.body.descriptor)


def test_head_says_what_get_would(site: Any) -> None:
    site.write("a.txt", "0123456789")
    got, head = site.ask("/a.txt"), site.ask("/a.txt", "HEAD")
    assert head.status == 200
    assert head.body == b""
    assert head.headers == [*got.headers, (b"content-length", b"10")]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get"])
def test_other_methods_are_answered_405(site: Any, method: str) -> None:
    site.write("a.txt", "x")
    site.write("index.html", "x")
    for path in ("/a.txt", "/"):
        got = site.ask(path, method)
        assert (got.status, got["allow"]) == (405, "GET, HEAD")
    assert site.ask("/missing", method).status == 404


def test_what_is_not_there_is_404(site: Any) -> None:
    for target in ("/missing", "/missing/", "/a/b/c", "/" + "x" * 300, "/" + "x/" * 3000):
        assert site.ask(target).status == 404
    assert site.ask("*", "OPTIONS").status == 404


def test_what_is_not_there_may_be_passed_on(site: Any, make_exchange: Any) -> None:
    site.configure(pass_thru=True).write("folder/a.txt")
    assert site.response(make_exchange("/missing")) is None
    assert site.response(make_exchange("/folder/")) is None
    assert site.ask("/folder/a.txt").status == 200


def test_each_root_has_its_own_files(site: Any, make_exchange: Any) -> None:
    site.write("one/a.txt", "one")
    site.write("two/a.txt", "two")
    for name in ("one", "two", "one"):
        response = site.server.answer(make_exchange("/a.txt"), str(site.root / name))
        assert response.body == name.encode()


# ---- names


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("with space.txt", "/with%20space.txt"),
        ("grüße.txt", "/gr%C3%BC%C3%9Fe.txt"),
        ("what?.txt", "/what%3F.txt"),
        ("100%.txt", "/100%25.txt"),
        ("a#b.txt", "/a%23b.txt"),
        ("a;b=c.txt", "/a;b=c.txt"),
        ("..a.txt", "/..a.txt"),
        ("a..txt", "/a..txt"),
        ("new\nline.txt", "/new%0Aline.txt"),
    ],
)
def test_escapes_name_files(site: Any, name: str, target: str) -> None:
    site.configure(hidden=Hidden(dotfiles=True)).write(name, "x")
    assert site.ask(target).status == 200


def test_names_that_are_no_text_are_served(site: Any) -> None:
    with open(os.fsencode(site.root) + b"/caf\xe9.txt", "w") as file:
        file.write("x")
    assert site.ask("/caf%E9.txt").body == b"x"


@pytest.mark.parametrize(
    "target",
    [
        "/../secret",
        "/%2e%2e/secret",
        "/.%2e/secret",
        "/%2e%2e%2fsecret",
        "/..%5csecret",
        "/..\\secret",
        "/a/../../secret",
        "/a/%2e%2e/%2e%2e/secret",
        "//../secret",
        "///secret",
        "/%252e%252e/secret",
        "/%c0%ae%c0%ae/secret",
        "/%e0%80%ae%e0%80%ae/secret",
        "/..;/secret",
        "/.../secret",
        "/secret%20",
        "http://example.com/../secret",
        "http://example.com/%2e%2e%2fsecret",
        "/out",
        "/out/",
        "/folder/secret",
    ],
)
def test_no_target_leads_out_of_the_root(site: Any, target: str) -> None:
    (site.root.parent / "secret").write_text("secret")
    site.write("a/b", "x")
    (site.root / "out").symlink_to("../secret")
    (site.root / "folder").symlink_to("..")
    got = site.ask(target)
    assert (got.status, got.body) == (404, b"")


# ---- folders and canonical addresses


def test_a_folder_is_answered_with_its_first_index_file(site: Any) -> None:
    site.write("index.txt", "text")
    assert site.ask("/").body == b"text"
    assert site.ask("/").body == b"text"
    site.write("index.html", "page")
    assert site.ask("/").body == b"page"
    assert site.ask("/")["content-type"] == "text/html; charset=utf-8"
    (site.root / "index.html").unlink()
    assert site.ask("/").body == b"text"


def test_a_folder_that_is_called_like_an_index_file_is_none(site: Any) -> None:
    site.write("index.html/a.txt", "x")
    site.write("index.txt", "text")
    assert site.ask("/").body == b"text"


def test_a_folder_without_index_file_is_404(site: Any) -> None:
    site.write("folder/a.txt", "x")
    assert site.ask("/folder/").status == 404
    assert site.ask("/folder").status == 404


def test_index_files_have_other_names_if_told_so(site: Any) -> None:
    site.configure(index=("home.md",)).write("home.md", "home")
    site.write("index.html", "page")
    assert site.ask("/").body == b"home"


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/folder", "/folder/"),
        ("/folder?a=b&c", "/folder/?a=b&c"),
        ("/folder?", "/folder/?"),
        ("/a.txt/", "/a.txt"),
        ("/a.txt/?x=/", "/a.txt?x=/"),
        ("/folder/with%20space", "/folder/with%20space/"),
        ("/folder/./with%20space", "/folder/with%20space/"),
        ("http://example.com/folder", "/folder/"),
        # never the address of another host
        ("//folder", "/folder/"),
        ("///folder", "/folder/"),
        ("/\\folder", "/folder/"),
        ("/%5Cfolder", "/folder/"),
        ("/%2Ffolder", "/folder/"),
        ("/%2F%2Fevil.com", "/evil.com/"),
        ("//evil.com", "/evil.com/"),
        ("/\\/evil.com", "/evil.com/"),
        ("//evil.com/..", None),
        ("/.//evil.com", "/evil.com/"),
        ("/folder/..//evil.com", "/evil.com/"),
        ("/evil.com/%0d%0aSet-Cookie:a", "/evil.com/%0D%0ASet-Cookie:a/"),
        ("/http:%2f%2fevil.com", "/http:/evil.com/"),
    ],
)
def test_a_redirect_leads_to_the_canonical_address_on_this_host(site: Any, target: str, location: str | None) -> None:
    site.write("a.txt", "x")
    for folder in ("folder", "folder/with space", "evil.com", "evil.com/\r\nSet-Cookie:a", "http:/evil.com"):
        site.write(f"{folder}/index.html", "x")
    for _ in range(2):
        got = site.ask(target)
        assert (got.status, got["location"]) == ((308, location) if location else (404, None))


def test_a_redirect_is_about_the_address_that_the_client_knows(site: Any, make_exchange: Any) -> None:
    site.write("folder/index.html", "x")
    asked = make_exchange("/prefix/folder?q")
    asked.set_uri(b"/folder", b"q")
    assert site.answer(asked)["location"] == "/prefix/folder/?q"


def test_a_rewritten_address_is_not_redirected(site: Any, make_exchange: Any) -> None:
    site.write("index.html", "x")
    site.write("a.txt", "a")
    for _ in range(2):
        asked = make_exchange("/some/page/")
        asked.set_uri(b"/a.txt", None)
        assert (site.answer(asked).status, site.ask("/a.txt").status) == (200, 200)


def test_a_file_that_is_known_is_redirected_like_any_other(site: Any, make_exchange: Any) -> None:
    site.write("a.txt", "a")
    for _ in range(2):
        asked = make_exchange("/a.txt/")
        asked.set_uri(b"/a.txt", None)
        assert site.answer(asked)["location"] == "/a.txt"
        assert site.ask("/a.txt").status == 200


def test_redirects_can_be_off(site: Any) -> None:
    site.configure(canonical=False)
    site.write("folder/index.html", "page")
    site.write("a.txt", "a")
    for _ in range(2):
        assert site.ask("/folder").body == b"page"
        assert site.ask("/a.txt/").body == b"a"
    assert site.ask("/a.txt/x").status == 404


# ---- what changes is seen at once


@pytest.mark.parametrize("size", [10, 100_000])
def test_a_file_that_changes_is_sent_as_it_is_now(site: Any, size: int) -> None:
    for number, letter in enumerate((b"a", b"b", b"c")):
        site.write("data", letter * size)
        assert site.ask("/data").body == letter * size
        replacement = site.write("next", letter.upper() * size)
        os.utime(replacement, (OLD + number, OLD + number))
        replacement.rename(site.root / "data")
        got = site.ask("/data")
        assert got.body == letter.upper() * size
        assert got["last-modified"] == f"Sun, 06 Nov 1994 08:49:{37 + number} GMT"


def test_a_file_that_is_removed_or_replaced_by_something_else_is_gone(site: Any) -> None:
    file = site.write("a.txt", "a")
    assert site.ask("/a.txt").status == 200
    file.unlink()
    assert site.ask("/a.txt").status == 404
    os.mkfifo(file)
    assert site.ask("/a.txt").status == 404
    file.unlink()
    (site.root.parent / "secret").write_text("secret")
    file.symlink_to("../secret")
    assert site.ask("/a.txt").status == 404
    file.unlink()
    file.mkdir()
    assert site.ask("/a.txt").status == 404
    file.rmdir()
    site.write("a.txt", "again")
    assert site.ask("/a.txt").body == b"again"


def test_a_file_that_moves_out_and_is_linked_back_is_outside(site: Any) -> None:
    file = site.write("a.txt", "a")
    assert site.ask("/a.txt").status == 200
    file.rename(site.root.parent / "moved")
    file.symlink_to("../moved")
    assert site.ask("/a.txt").status == 404


def test_a_small_file_that_shrinks_while_it_is_read_is_an_error(
    site: Any, make_exchange: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.write("a.txt", "0123456789")
    monkeypatch.setattr(answer.os, "pread", lambda descriptor, length, start: b"0123")
    with pytest.raises(HTTPError) as caught:
        site.response(make_exchange("/a.txt"))
    assert caught.value.status == 500


def test_a_file_that_cannot_be_read_is_an_error(site: Any, make_exchange: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int, length: int, start: int) -> bytes:
        raise OSError(5, "Input/output error")

    site.write("a.txt", "0123456789")
    monkeypatch.setattr(answer.os, "pread", fail)
    with pytest.raises(HTTPError) as caught:
        site.response(make_exchange("/a.txt"))
    assert caught.value.status == 500


def test_only_so_many_files_and_roots_are_remembered(
    site: Any, make_exchange: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer, "MOST_KNOWN", 3)
    monkeypatch.setattr(answer, "MOST_ROOTS", 3)
    for number in range(10):
        site.write(f"{number}.txt", f"{number}")
        site.write(f"{number}/a.txt", f"{number}")
    for number in [*range(10), *range(10)]:
        assert site.ask(f"/{number}.txt").body == str(number).encode()
        assert site.server.answer(make_exchange("/a.txt"), str(site.root / str(number))).body == str(number).encode()
    assert len(site.server._folders) == 3


# ---- conditions


def test_what_the_client_has_already_is_not_sent_again(site: Any) -> None:
    aged(site.write("a.txt", "0123456789"))
    etag = site.ask("/a.txt")["etag"]
    for method in ("GET", "HEAD"):
        got = site.ask("/a.txt", method, if_none_match=etag)
        assert (got.status, got.body) == (304, b"")
        assert got.headers == [(b"etag", etag.encode()), (b"last-modified", OLD_DATE.encode())]
        assert site.ask("/a.txt", method, if_modified_since=OLD_DATE).status == 304
    assert site.ask("/a.txt", if_none_match='"other"').status == 200


def test_a_precondition_that_does_not_hold_is_412(site: Any) -> None:
    aged(site.write("a.txt", "0123456789"))
    assert site.ask("/a.txt", if_match='"other"').status == 412
    assert site.ask("/a.txt", if_unmodified_since="Sun, 06 Nov 1994 08:49:36 GMT").status == 412
    assert site.ask("/a.txt", if_match="*").status == 200


def test_a_file_of_the_epoch_has_no_validators(site: Any) -> None:
    os.utime(site.write("a.txt", "0123456789"), (1, 1))
    got = site.ask("/a.txt")
    assert (got["etag"], got["last-modified"]) == (None, None)


# ---- ranges


@pytest.mark.parametrize("size", [1000, 200_000])
@pytest.mark.parametrize(
    ("field", "start", "end"), [("0-0", 0, 1), ("-5", -5, None), ("900-", 900, None), ("10-19", 10, 20)]
)
def test_a_part_is_sent_as_206(site: Any, size: int, field: str, start: int, end: int | None) -> None:
    data = os.urandom(size)
    site.write("data", data)
    for _ in range(2):
        got = site.ask("/data", range=f"bytes={field}")
        assert (got.status, got.body) == (206, data[start:end])
        first = start % size
        assert got["content-range"] == f"bytes {first}-{first + len(got.body) - 1}/{size}"
        assert got["etag"] is not None


def test_several_parts_are_one_multipart(site: Any) -> None:
    site.write("a.txt", "0123456789")
    got = site.ask("/a.txt", range="bytes=0-1,5-6")
    assert got.status == 206
    assert got["content-range"] is None
    boundary = got["content-type"].removeprefix("multipart/byteranges; boundary=")
    part = "--{}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes {}/10\r\n\r\n{}\r\n"
    expected = part.format(boundary, "0-1", "01") + part.format(boundary, "5-6", "56") + f"--{boundary}--\r\n"
    assert got.body == expected.encode()


def test_parts_that_touch_are_one(site: Any) -> None:
    site.write("a.txt", "0123456789")
    got = site.ask("/a.txt", range="bytes=0-4,3-6")
    assert (got.status, got["content-range"], got.body) == (206, "bytes 0-6/10", b"0123456")


def test_a_part_that_is_not_there_is_416(site: Any) -> None:
    site.write("a.txt", "0123456789")
    got = site.ask("/a.txt", range="bytes=10-")
    assert (got.status, got["content-range"]) == (416, "bytes */10")


@pytest.mark.parametrize("field", ["bytes=", "lines=1-2", "bytes=5-1", "bytes=" + "0-0," * 100])
def test_a_range_without_meaning_gets_everything(site: Any, field: str) -> None:
    site.write("a.txt", "0123456789")
    got = site.ask("/a.txt", range=field)
    assert (got.status, got.body) == (200, b"0123456789")


def test_two_range_fields_get_everything(site: Any, make_exchange: Any) -> None:
    site.write("a.txt", "0123456789")
    asked = make_exchange("/a.txt")
    asked.headers += [(b"range", b"bytes=0-0"), (b"range", b"bytes=1-1")]
    assert site.answer(asked).status == 200


def test_head_has_no_parts(site: Any) -> None:
    site.write("a.txt", "0123456789")
    got = site.ask("/a.txt", "HEAD", range="bytes=0-0")
    assert (got.status, got["content-length"]) == (200, "10")


def test_if_range_asks_for_a_part_of_the_same_file_only(site: Any) -> None:
    aged(site.write("a.txt", "0123456789"))
    etag = site.ask("/a.txt")["etag"]
    assert site.ask("/a.txt", range="bytes=0-0", if_range=etag).status == 206
    assert site.ask("/a.txt", range="bytes=0-0", if_range=OLD_DATE).status == 206
    assert site.ask("/a.txt", range="bytes=0-0", if_range='"other"').status == 200
    assert site.ask("/a.txt", range="bytes=99-", if_range='"other"').status == 200


# ---- precompressed siblings


@pytest.fixture
def compressed(site: Any) -> Any:
    site.configure(codings=("br", "zstd", "gzip"))
    site.write("app.js", "plain")
    site.write("app.js.br", "brotli")
    site.write("app.js.gz", "gzip it is")
    return site


@pytest.mark.parametrize(
    ("accepted", "coding", "body"),
    [
        ("gzip, deflate, br, zstd", "br", b"brotli"),
        ("gzip", "gzip", b"gzip it is"),
        ("zstd", None, b"plain"),
        ("zstd, gzip;q=0.5", "gzip", b"gzip it is"),
        ("br;q=0.1, gzip;q=0.2", "gzip", b"gzip it is"),
        ("identity", None, b"plain"),
        ("", None, b"plain"),
    ],
)
def test_the_best_accepted_sibling_is_sent(compressed: Any, accepted: str, coding: str | None, body: bytes) -> None:
    for _ in range(2):
        got = compressed.ask("/app.js", accept_encoding=accepted)
        assert (got.status, got["content-encoding"], got.body) == (200, coding, body)
        assert got["content-type"] == "text/javascript; charset=utf-8"
        assert got["vary"] == "accept-encoding"


def test_each_coding_has_its_own_validators_and_parts(compressed: Any) -> None:
    tags = {compressed.ask("/app.js", accept_encoding=coding)["etag"] for coding in ("br", "gzip", "identity")}
    assert len(tags) == 3
    got = compressed.ask("/app.js", accept_encoding="br", range="bytes=0-1")
    assert (got.status, got.body, got["content-range"]) == (206, b"br", "bytes 0-1/6")
    etag = compressed.ask("/app.js", accept_encoding="br")["etag"]
    got = compressed.ask("/app.js", accept_encoding="br", if_none_match=etag)
    assert (got.status, got["vary"]) == (304, "accept-encoding")
    assert compressed.ask("/app.js", "HEAD", accept_encoding="br")["content-length"] == "6"


def test_a_sibling_that_is_asked_for_itself_is_no_coding(compressed: Any) -> None:
    for _ in range(2):
        got = compressed.ask("/app.js.gz", accept_encoding="gzip")
        assert (got["content-encoding"], got["content-type"]) == (None, "application/gzip")


def test_siblings_come_and_go(compressed: Any) -> None:
    assert compressed.ask("/app.js", accept_encoding="br").body == b"brotli"
    (compressed.root / "app.js.br").unlink()
    assert compressed.ask("/app.js", accept_encoding="br").body == b"plain"
    (compressed.root / "app.js.br").mkdir()
    assert compressed.ask("/app.js", accept_encoding="br").body == b"plain"
    (compressed.root / "app.js.zst").write_text("zstandard")
    assert compressed.ask("/app.js", accept_encoding="br, zstd").body == b"zstandard"


def test_a_sibling_alone_is_not_the_file(compressed: Any) -> None:
    (compressed.root / "app.js").unlink()
    assert compressed.ask("/app.js", accept_encoding="br").status == 404


def test_index_files_have_siblings_too(compressed: Any) -> None:
    compressed.write("folder/index.html", "plain")
    compressed.write("folder/index.html.gz", "packed")
    for target in ("/folder/", "/folder/", "/folder/index.html"):
        got = compressed.ask(target, accept_encoding="gzip")
        assert (got.body, got["content-type"]) == (b"packed", "text/html; charset=utf-8")


def test_siblings_are_left_alone_unless_asked_for(compressed: Any) -> None:
    got = compressed.configure(codings=()).ask("/app.js", accept_encoding="br")
    assert (got.body, got["vary"]) == (b"plain", None)


# ---- other statuses


def test_a_status_of_ones_own_comes_with_the_whole_file(site: Any) -> None:
    site.configure(status=404).write("missing.html", "gone")
    got = site.ask("/missing.html", range="bytes=0-0", if_none_match="*")
    assert (got.status, got.body) == (404, b"gone")


def test_an_error_page_has_the_status_of_the_error(site: Any, make_exchange: Any) -> None:
    site.write("404.html", "not found")
    asked = make_exchange("/x", "POST")
    asked.error = HTTPError(404)
    asked.set_uri(b"/404.html", None)
    got = site.answer(asked)
    assert (got.status, got.body) == (404, b"not found")


def test_a_listing_of_an_error_page_is_not_refused_for_its_method(site: Any, make_exchange: Any) -> None:
    site.configure(listing=Listing()).write("a.txt")
    asked = make_exchange("/", "POST")
    assert site.answer(asked).status == 405
    asked.error = HTTPError(404)
    assert site.answer(asked).status == 200
