from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from edgescript.files import resolve
from edgescript.files.resolve import Hidden, Tree
from edgescript.http.message import HTTPError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a file, and beside it what must not be reached."""
    inside = tmp_path / "root"
    inside.mkdir()
    (inside / "a.txt").write_text("inside")
    (inside / "folder").mkdir()
    (inside / "folder" / "b.txt").write_text("deeper")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "root-beside").mkdir()
    (tmp_path / "root-beside" / "secret").write_text("secret")
    return inside


def read(tree: Tree, path: str) -> str | None:
    """The text of a file, `/` for a folder, None for nothing."""
    found = tree.open(path)
    if found is None:
        return None
    if found.is_directory:
        os.close(found.descriptor)
        return "/"
    with open(found.descriptor, "rb") as file:
        return file.read().decode()


def tree(root: Path, **options: object) -> Tree:
    return Tree(str(root), **{"hidden": Hidden(directory="/"), **options})


def test_files_and_folders_are_found(root: Path) -> None:
    assert read(tree(root), "/a.txt") == "inside"
    assert read(tree(root), "/folder/b.txt") == "deeper"
    assert read(tree(root), "/folder") == "/"
    assert read(tree(root), "/") == "/"


@pytest.mark.parametrize("end", ["", "/", "//"])
def test_slashes_at_the_end_of_the_root_do_not_matter(root: Path, end: str) -> None:
    assert read(Tree(f"{root}{end}", hidden=Hidden()), "/a.txt") == "inside"


def test_the_whole_file_system_can_be_a_root(root: Path) -> None:
    assert read(Tree("/", hidden=Hidden()), f"{root}/a.txt") == "inside"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret",
        "/folder/../../secret",
        "/folder/../a.txt",
        "/./a.txt",
        "/..",
        "/folder/..",
        "//a.txt",
        "/folder//b.txt",
        "/..\\secret",
        "/folder\\b.txt",
        "/a.txt\0.html",
        "/\0",
        "../secret",
        "a.txt",
        "",
        "*",
        "/../root-beside/secret",
        "/a.txt/",
        "/a.txt/x",
        "/a.txt.",
        "/a.txt ",
        "/A.TXT",
        "/missing",
        "/" + "x" * 300,
        "/" + "x/" * 5000 + "x",
        "/\ud800",
        "/%2e%2e/secret",
        "/~root",
    ],
)
@pytest.mark.parametrize("symlinks", ["inside", "off", "on"])
def test_no_path_leads_out_or_to_a_file_of_another_name(root: Path, path: str, symlinks: str) -> None:
    assert read(tree(root, symlinks=symlinks), path) is None


LINKS = [
    # name, target, and what is read with `inside`, `off`, `on`
    ("to_file", "a.txt", "inside", None, "inside"),
    ("to_folder/b.txt", None, "deeper", None, "deeper"),
    ("to_folder", "folder", "/", None, "/"),
    ("out", "../secret", None, None, "secret"),
    ("out_absolute", "/etc/hostname", None, None, "any"),
    ("beside", "../root-beside", None, None, "/"),
    ("beside/secret", None, None, None, "secret"),
    ("round_about", "../root/a.txt", "inside", None, "inside"),
    ("chain", "out", None, None, "secret"),
    ("loop", "loop", None, None, None),
    ("dangling", "nowhere", None, None, None),
    ("to_hidden", ".git/config", None, None, "any"),
]


@pytest.mark.parametrize(("number", "symlinks"), list(enumerate(["inside", "off", "on"])))
def test_symbolic_links_are_followed_as_far_as_allowed(root: Path, number: int, symlinks: str) -> None:
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("any")
    for name, target, *_ in LINKS:
        if target is not None:
            (root / name).symlink_to(target)
    seen = tree(root, symlinks=symlinks)
    got = {name: read(seen, f"/{name}") for name, *_ in LINKS}
    expected = {name: results[number] for name, _, *results in LINKS}
    if got["out_absolute"] is not None:
        got["out_absolute"] = "any"
    elif not os.path.exists("/etc/hostname"):
        expected["out_absolute"] = None
    assert got == expected


def test_the_root_may_be_a_link_and_may_be_switched(root: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "a.txt").write_text("new")
    current = tmp_path / "current"
    current.symlink_to("root")
    for symlinks in ("inside", "off"):
        seen = tree(current, symlinks=symlinks)
        assert read(seen, "/a.txt") == "inside"
        (tmp_path / "next").symlink_to("new")
        (tmp_path / "next").rename(current)
        assert read(seen, "/a.txt") == "new"
        (tmp_path / "next").symlink_to("root")
        (tmp_path / "next").rename(current)
        assert read(seen, "/a.txt") == "inside"


def test_a_root_may_appear_later(tmp_path: Path) -> None:
    seen = tree(tmp_path / "later")
    assert read(seen, "/a.txt") is None
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "a.txt").write_text("now")
    assert read(seen, "/a.txt") == "now"


def test_systems_without_proc_judge_by_name(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "_HAS_PROC", False)
    (root / "out").symlink_to("../secret")
    (root / "in").symlink_to("a.txt")
    assert read(tree(root), "/a.txt") == "inside"
    assert read(tree(root), "/in") == "inside"
    assert read(tree(root), "/out") is None
    assert read(tree(root, symlinks="off"), "/in") is None


def test_what_is_removed_between_opening_and_looking_is_not_served(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = os.open

    def and_remove(path: bytes, flags: int) -> int:
        descriptor = genuine(path, flags)
        os.unlink(path)
        return descriptor

    monkeypatch.setattr(resolve.os, "open", and_remove)
    assert tree(root).open("/a.txt") is None


def test_what_is_swapped_for_a_link_between_two_requests_is_seen(root: Path) -> None:
    seen = tree(root)
    assert read(seen, "/folder/b.txt") == "deeper"
    (root / "folder").rename(root / "old")
    (root / "folder").symlink_to("../root-beside")
    (root.parent / "root-beside" / "b.txt").write_text("secret")
    assert read(seen, "/folder/b.txt") is None


def test_fifos_sockets_and_devices_are_not_served(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(root / "fifo")
    monkeypatch.chdir(root)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        assert read(tree(root), "/fifo") is None
        assert read(tree(root), "/socket") is None
    assert read(Tree("/dev", hidden=Hidden()), "/null") is None
    assert read(Tree("/dev", hidden=Hidden()), "/zero") is None


def test_names_that_are_no_text_are_found(root: Path) -> None:
    with open(os.fsencode(root) + b"/caf\xe9.txt", "w") as file:
        file.write("latin")
    (root / "grüße.txt").write_text("utf-8")
    assert read(tree(root), "/caf\udce9.txt") == "latin"
    assert read(tree(root), "/grüße.txt") == "utf-8"


def test_nothing_stays_open(root: Path) -> None:
    (root / "out").symlink_to("../secret")
    os.mkfifo(root / "fifo")
    before = len(os.listdir("/proc/self/fd"))
    for path in ("/out", "/fifo", "/missing", "/a.txt", "/.x"):
        read(tree(root), path)
        tree(root).peek(path)
    assert len(os.listdir("/proc/self/fd")) == before


# ---- permissions


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A root that everybody can reach, while this process has no special rights."""
    with TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        privileged = os.geteuid() == 0
        root = Path(directory)
        (root / "locked.txt").write_text("locked")
        (root / "locked.txt").chmod(0)
        (root / "shut").mkdir()
        (root / "shut" / "a.txt").write_text("a")
        (root / "shut").chmod(0)
        (root / "entered").mkdir()
        (root / "entered" / "a.txt").write_text("a")
        (root / "entered").chmod(0o111)
        if privileged:
            os.seteuid(65534)
        try:
            yield root
        finally:
            if privileged:
                os.seteuid(0)
            (root / "shut").chmod(0o755)
            (root / "entered").chmod(0o755)


@pytest.mark.parametrize("path", ["/locked.txt", "/shut/a.txt"])
def test_missing_permission_is_403(as_nobody: Path, path: str) -> None:
    with pytest.raises(HTTPError) as caught:
        tree(as_nobody).open(path)
    assert caught.value.status == 403
    assert tree(as_nobody).peek(path) is None


def test_a_folder_that_may_only_be_entered_has_its_files(as_nobody: Path) -> None:
    assert read(tree(as_nobody), "/entered") == "/"
    assert read(tree(as_nobody), "/entered/a.txt") == "a"


@pytest.mark.parametrize(("code", "status"), [("EMFILE", 503), ("ENFILE", 503), ("EIO", 500), ("EPERM", 403)])
def test_failures_of_the_system_have_a_status(
    root: Path, monkeypatch: pytest.MonkeyPatch, code: str, status: int
) -> None:
    def fail(path: bytes) -> int:
        number = getattr(resolve.errno, code)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(resolve, "_opened", fail)
    with pytest.raises(HTTPError) as caught:
        tree(root).open("/a.txt")
    assert caught.value.status == status


# ---- hidden files


@pytest.mark.parametrize(
    ("patterns", "path", "expected"),
    [
        ([], "/a.txt", False),
        ([], "/.git/config", True),
        ([], "/folder/.env", True),
        ([], "/.well-known/acme-challenge/x", False),
        ([], "/.well-known/.x", True),
        ([], "/Edgefile", True),
        ([], "/edgefile", True),
        ([], "/folder/Edgefile", True),
        ([], "/Edgefile.txt", False),
        ([], "/site.edge", True),
        ([], "/site.test.edge", True),
        (["*.bak"], "/a.bak", True),
        (["*.bak"], "/folder/a.bak", True),
        (["*.bak"], "/a.bak/b.txt", True),
        (["*.bak"], "/a.bak.txt", False),
        (["secret"], "/secret/b.txt", True),
        (["secret"], "/secrets", False),
        (["secre?"], "/secret", True),
        (["[st]ecret"], "/tecret", True),
        (["private/x"], "/private/x", True),
        (["private/x"], "/private/x/deeper.txt", True),
        (["private/x"], "/private/xy", False),
        (["./private"], "/private/y", True),
        (["private/*.txt"], "/private/a.txt", True),
        (["private/*.txt"], "/private/folder/a.txt", False),
        (["/srv/root/private"], "/private/a", True),
        (["/srv/other"], "/other", False),
        (["a\n*"], "/a\nb", True),
    ],
)
def test_hidden_files_are_known_by_name_or_by_path(patterns: list[str], path: str, expected: bool) -> None:
    assert Hidden(patterns, directory="/srv/root").hides(path, "/srv/root") is expected


def test_dotfiles_can_be_served() -> None:
    hidden = Hidden(["*.bak"], dotfiles=True)
    assert not hidden.hides("/.config", "/srv")
    assert hidden.hides("/.config.bak", "/srv")
    assert hidden.hides("/Edgefile", "/srv")


def test_hidden_files_are_as_if_missing(root: Path) -> None:
    (root / "Edgefile").write_text("x")
    (root / ".env").write_text("x")
    assert read(tree(root), "/Edgefile") is None
    assert read(tree(root), "/.env") is None
    assert read(tree(root, hidden=Hidden(["folder"])), "/folder/b.txt") is None
