"""Rules of the supervisor as values: cores, pauses, words for exit codes, followed files, problems and bundles as data."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from edgescript.runtime import followed
from edgescript.runtime.bundle import Bundle, Gathering, in_memory, read_memory
from edgescript.runtime.child import how_it_ended, pause
from edgescript.runtime.configuration import understand
from edgescript.runtime.cores import cores_of, group_of, usable_cores
from edgescript.runtime.followed import Followed
from edgescript.runtime.problems import MOST, as_data, of_data
from edgescript.text.problem import Note, Problem
from edgescript.text.source import Source, Span


@pytest.mark.parametrize(
    ("text", "cores"),
    [("max 100000\n", None), ("150000 100000\n", 1.5), ("", None), ("5000 0\n", None), ("a b c\n", None)],
)
def test_a_control_group_allows_so_many_cores(text: str, cores: float | None) -> None:
    assert cores_of(text) == cores


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("0::/system.slice/edge.service\n", "/system.slice/edge.service"),
        ("12:cpu:/old\n0::/\n", "/"),
        ("", "/"),
        ("0::/../outside\n", "/"),
    ],
)
def test_our_control_group_is_found(text: str, path: str) -> None:
    assert group_of(text) == PurePosixPath(path)


def test_there_is_always_a_core() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)


def test_pauses_grow_from_nothing_to_ten_seconds() -> None:
    assert [pause(failures) for failures in range(1, 6)] == [0.0, 0.1, 0.2, 0.4, 0.8]
    assert pause(9) == 10.0
    assert pause(10**6) == 10.0


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "ended with exit code 0"),
        (3, "ended with exit code 3"),
        (-9, "was killed by SIGKILL"),
        (-63, "was killed by signal 63"),
    ],
)
def test_an_end_has_words(code: int, words: str) -> None:
    assert how_it_ended(code) == words


def test_a_file_that_cannot_be_looked_at_for_a_while_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "Edgefile"
    file.write_text(":80 {\n}\n")

    def refused(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "stat", refused)
        assert followed._look(str(file)) is None
    assert followed._look(str(file)) is not None


def test_a_changed_import_is_seen(tmp_path: Path) -> None:
    file, imported = tmp_path / "Edgefile", tmp_path / "site.edge"
    file.write_text("import site.edge\n")
    imported.write_text(":80 {\n}\n")
    files = Followed()
    files.add(str(file))
    understand(Source(str(file), file.read_text()), str(tmp_path), read=files.read)
    assert not files.changed()
    imported.write_text(":8080 {\n}\n")
    assert files.changed()


def test_a_file_that_a_pattern_matches_now_is_seen(tmp_path: Path) -> None:
    files = Followed()
    source = Source(str(tmp_path / "Edgefile"), "import *.edge\n")
    understand(source, str(tmp_path), read=files.read, find=files.find)
    assert not files.changed()
    (tmp_path / "site.edge").write_text(":80 {\n}\n")
    assert files.changed()


def test_a_module_that_changes_while_it_is_imported_again_is_seen(tmp_path: Path) -> None:
    module = tmp_path / "handlers.py"
    module.write_text("one = 1\n")
    files = Followed()
    files.add_modules({str(module): True})
    again = files.again()  # before the reload that imports it
    module.write_text("one = 'another'\n")
    again.add_modules({str(module): True})  # behind it
    assert again.changed()


def test_a_module_that_changed_before_it_could_be_followed_is_seen_once(tmp_path: Path) -> None:
    module = tmp_path / "handlers.py"
    module.write_text("one = 1\n")
    files = Followed()
    files.add_modules({str(module): True})  # which was so before it changed, and the first look came behind that
    assert not files.changed()
    files.add_modules({str(module): False})
    assert files.changed()
    again = files.again()
    for _ in range(3):
        again.add_modules({str(module): False})  # it could not be imported, and is tried when it changes
        assert not again.changed()


# ---- what workers are given


def test_a_bundle_is_all_that_is_needed_to_read_a_file_again(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.edge").write_text(f"http://{name}.example {{\n    respond {name}\n}}\n")
    source = Source(str(tmp_path / "Edgefile"), "import *.edge\nimport missing.edge\n")
    found = understand(source, str(tmp_path))
    assert found.configuration is None
    good = understand(Source(source.name, "import *.edge\n"), str(tmp_path))
    assert good.configuration is not None
    memory = in_memory("edgefile", good.configuration.bundle.as_data())
    for name in ("a", "b"):
        (tmp_path / f"{name}.edge").unlink()
    (tmp_path / "c.edge").write_text("nonsense\n")
    bundle = Bundle.of_data(read_memory(memory))
    assert Bundle.of_data(read_memory(memory)) == bundle, "several workers read the same"
    os.close(memory)
    again = understand(bundle.source, bundle.directory, read=bundle.read, find=bundle.find)
    assert again.configuration == good.configuration


def test_bytes_that_are_no_text_survive() -> None:
    def read(name: str) -> bytes:
        return b"\xff\xfe\x00"

    gathering = Gathering(Source("Edgefile", "\udcff"), "/", read=read)
    gathering.read("a.edge")
    bundle = gathering.bundle()
    memory = in_memory("edgefile", bundle.as_data())
    assert Bundle.of_data(read_memory(memory)) == bundle
    os.close(memory)


def test_what_was_not_read_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        Bundle("Edgefile", "", "/").read("a.edge")
    assert Bundle("Edgefile", "", "/").find("*.edge") == []


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (":80 {\n}", [("", 80)]),
        ("http://a.example, http://b.example:81 {\n bind 127.0.0.1 unix//run/a.sock\n}", None),
        ("http://a.example {\n}\nhttp://b.example {\n}", [("", 80)]),
    ],
)
def test_it_is_known_where_to_listen_without_a_graph(text: str, keys: list[tuple[str, int | None]] | None) -> None:
    found = understand(Source("Edgefile", text), "/").configuration
    assert found is not None
    wanted = keys or [("127.0.0.1", 80), ("127.0.0.1", 81), ("/run/a.sock", None)]
    assert sorted(map(str, found.keys)) == sorted(map(str, wanted))


def test_the_number_of_workers_is_that_of_the_command_or_of_the_file() -> None:
    source = Source("Edgefile", "{\n workers 3\n}\n:80 {\n}")

    def workers(asked: int | None) -> int:
        found = understand(source, "/", workers=asked).configuration
        assert found is not None
        return found.workers

    assert workers(None) == 3
    assert workers(5) == 5
    assert workers(0) == usable_cores()


def test_a_file_without_sites_has_nothing_to_serve() -> None:
    found = understand(Source("Edgefile", "# nothing\n"), "/")
    assert (found.configuration, found.reason) == (None, "Edgefile has no site, so there is nothing to serve")


# ---- problems on their way


def test_problems_come_back_as_they_were() -> None:
    outer, inner = Source("Edgefile", "import a.edge\n"), Source("a.edge", "nonsense\n")
    at = Span(inner, 0, 8, Span(outer, 0, 13))
    problems = [
        Problem("E205", "it cannot be set up", at, (Note("here", at), Note("nowhere")), "do something", is_secret=True),
        Problem("W201", "a warning", None),
    ]
    sources = {"Edgefile": outer, "a.edge": inner}
    assert of_data(as_data(problems), sources.__getitem__) == problems


def test_no_more_problems_are_told_than_anybody_reads() -> None:
    problems = [Problem("E205", str(number), None) for number in range(MOST + 10)]
    assert len(as_data(problems)) == MOST
