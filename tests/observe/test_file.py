from __future__ import annotations

import gzip
import multiprocessing
import os
import stat
import time
from collections import deque
from pathlib import Path

import pytest
from backports import zstd

from edgescript.observe import archive
from edgescript.observe.archive import Old, name_for, old_files, superfluous
from edgescript.observe.file import File, Rotation

#: 2023-11-14 22:13:20 UTC.
NOW = 1_700_000_000.25


class Clock:
    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "access.log"


@pytest.fixture
def in_zone(monkeypatch):
    def use(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield use
    monkeypatch.undo()
    time.tzset()


def write(file: File, *lines: str) -> None:
    for line in lines:
        file.deliver(deque([f"{line}\n"]))


def others(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir() if entry != path)


# ---- when


@pytest.mark.parametrize(
    ("rotation", "zone", "last", "now", "is_new"),
    [
        (Rotation(every=3600), "UTC", NOW, NOW + 2000, False),
        (Rotation(every=3600), "UTC", NOW, NOW + 2800, True),
        (Rotation(every=86400), "Asia/Tokyo", NOW, NOW + 6000, False),
        (Rotation(every=86400), "Asia/Tokyo", NOW, NOW + 6400, True),
        (Rotation(at=(0,)), "UTC", NOW, NOW + 6000, False),
        (Rotation(at=(0,)), "UTC", NOW, NOW + 6400, True),
        # In Berlin it is 23:13:20.
        (Rotation(at=(0,)), "Europe/Berlin", NOW, NOW + 2800, True),
        (Rotation(at=(6 * 60,)), "Europe/Berlin", NOW, NOW + 2800, False),
        (Rotation(at=(6 * 60,)), "Europe/Berlin", NOW, NOW + 2800 + 6 * 3600, True),
        (Rotation(at=(6 * 60, 18 * 60)), "Europe/Berlin", NOW, NOW + 2800 + 5 * 3600, False),
        (Rotation(at=(6 * 60,)), "UTC", NOW, NOW + 5 * 86400, True),
        (Rotation(size=10), "UTC", NOW, NOW + 86400, False),
        # The clock was put back.
        (Rotation(every=60), "UTC", NOW, NOW - 600, False),
    ],
)
def test_a_period_ends(in_zone, rotation, zone, last, now, is_new):
    in_zone(zone)
    assert rotation.is_new_period(last, now) is is_new


# ---- what happens


def test_a_file_of_some_size_is_turned_over_before_the_next_line(path):
    file = File(str(path), rotation=Rotation(size=8, compress="off"), wall=Clock())
    write(file, "one", "two", "three")
    file.close()
    assert path.read_text() == "three\n"
    assert others(path) == ["access-2023-11-14T22-13-20.250.log"]
    assert (path.parent / others(path)[0]).read_text() == "one\ntwo\n"


def test_the_first_line_of_a_new_period_turns_the_file_over(path):
    clock = Clock()
    file = File(str(path), rotation=Rotation(every=3600, compress="off"), wall=clock)
    write(file, "one", "two")
    os.utime(path, (clock.now, clock.now))
    clock.now += 2000
    write(file, "still there")
    os.utime(path, (clock.now, clock.now))
    clock.now += 1000
    write(file, "new")
    file.close()
    assert path.read_text() == "new\n"
    assert len(others(path)) == 1


def test_two_turns_at_the_same_moment_have_two_names(path):
    file = File(str(path), rotation=Rotation(size=1, compress="off"), wall=Clock())
    write(file, "one", "two", "three")
    file.close()
    assert others(path) == ["access-2023-11-14T22-13-20.250-1.log", "access-2023-11-14T22-13-20.250.log"]


@pytest.mark.parametrize(("method", "suffix"), [("gzip", ".gz"), ("zstd", ".zst")])
def test_an_old_file_is_compressed(path, method, suffix):
    file = File(str(path), mode=0o640, rotation=Rotation(size=1, compress=method), wall=Clock())
    write(file, "one", "two")
    file.close()
    (name,) = others(path)
    assert name == f"access-2023-11-14T22-13-20.250.log{suffix}"
    old = path.parent / name
    data = old.read_bytes()
    plain = gzip.decompress(data) if method == "gzip" else zstd.decompress(data)
    assert plain == b"one\n"
    assert stat.S_IMODE(old.stat().st_mode) == 0o640


def test_what_is_too_old_or_too_much_is_deleted(path):
    clock = Clock()
    (path.parent / "access-other.log").write_text("not ours\n")
    (path.parent / "access-2023-11-14T22-13-20.250.log.gz").write_text("as if\n")
    file = File(str(path), rotation=Rotation(size=1, keep=2, keep_for=100), wall=clock)
    for _ in range(4):
        clock.now += 10
        write(file, "line")
    file.close()
    assert others(path) == [
        "access-2023-11-14T22-13-50.250.log.gz",
        "access-2023-11-14T22-14-00.250.log.gz",
        "access-other.log",
    ]


def test_how_many_are_kept_and_for_how_long():
    files = [Old(100.0 - number, str(number), True) for number in range(5)]

    def left(rotation: Rotation) -> str:
        gone = superfluous(files, rotation, 100.0)
        return "".join(old.path for old in files if old not in gone)

    assert left(Rotation(keep=3)) == "012"
    assert left(Rotation(keep=None, keep_for=2)) == "012"
    assert left(Rotation(keep=2, keep_for=3)) == "01"
    assert left(Rotation(keep=0)) == ""
    assert left(Rotation(keep=None)) == "01234"


def test_a_new_file_has_the_permissions_that_were_asked_for_whatever_the_umask(path):
    before = os.umask(0o077)
    try:
        file = File(str(path), mode=0o664)
        write(file, "line")
        file.close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o664


def test_compression_that_fails_leaves_the_file_and_is_said(path, monkeypatch, caplog):
    def broken(target, method):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "_compressing", broken)
    file = File(str(path), rotation=Rotation(size=1), wall=Clock())
    write(file, "one", "two")
    file.close()
    assert others(path) == ["access-2023-11-14T22-13-20.250.log"]
    assert "No space left on device" in caplog.text


def test_names_are_told_from_others(path):
    made = name_for(str(path), NOW)
    for name in (
        made,
        f"{made}.gz",
        f"{name_for(str(path), NOW - 5)}.zst",
        f"{made}.gz.partial",
        f"{path}.1",
        f"{path.parent}/access-2023-99-99T22-13-20.250.log",
    ):
        Path(name).touch()
    assert [(old.when, old.is_compressed) for old in old_files(str(path))] == [
        (NOW, True),
        (NOW, False),
        (NOW - 5, True),
    ]


def _write_many(path: str, name: str, count: int) -> None:
    file = File(path, rotation=Rotation(size=20_000, keep=None))
    for number in range(0, count, 10):
        file.deliver(deque([f"{name} {one}\n" for one in range(number, number + 10)]))
    file.close()


def test_no_line_is_lost_while_two_processes_turn_a_file_over(path):
    context = multiprocessing.get_context("spawn")
    count = 20_000
    writers = [context.Process(target=_write_many, args=(str(path), name, count)) for name in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    lines: list[str] = []
    for file in path.parent.iterdir():
        data = file.read_bytes()
        lines += (gzip.decompress(data) if file.suffix == ".gz" else data).decode().splitlines()
    assert len(list(path.parent.iterdir())) > 10
    assert sorted(lines) == sorted(f"{name} {number}" for name in "ab" for number in range(count))
