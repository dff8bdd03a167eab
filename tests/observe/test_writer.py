from __future__ import annotations

import asyncio
import errno
import os
import stat
import threading

import pytest

from edgescript.observe import writer as module
from edgescript.observe.writer import LineWriter, acquire


@pytest.fixture(autouse=True)
def _no_other_users(monkeypatch):
    """A writer is shared by all who name its destination: what other tests left open shall not be among them."""
    monkeypatch.setattr(module, "_writers", {})
    monkeypatch.setattr(module, "_users", {})


def close(writer: LineWriter) -> None:
    asyncio.run(writer.close())


def test_what_was_written_is_in_the_file_after_close(tmp_path):
    path = tmp_path / "access.log"
    path.write_text("before\n")
    writer = acquire(str(path))
    for number in range(1000):
        writer.write(f"{number}\n")
    close(writer)
    assert path.read_text() == "before\n" + "".join(f"{number}\n" for number in range(1000))
    assert writer.dropped == 0


def test_a_new_file_is_for_its_owner_only(tmp_path):
    path = tmp_path / "logs" / "access.log"
    writer = acquire(str(path))
    writer.write("line\n")
    close(writer)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_lines_come_without_close(tmp_path):
    path = tmp_path / "access.log"
    os.mkfifo(path)
    writer = acquire(str(path))
    writer.write("line\n")
    with open(path) as reading:
        assert reading.readline() == "line\n"
    close(writer)


def test_users_of_one_destination_share_its_writer(tmp_path):
    path = str(tmp_path / "access.log")
    first, second = acquire(path), acquire(path)
    assert first is second
    first.write("one\n")
    close(first)
    second.write("two\n")
    close(second)
    assert acquire(path) is not first
    close(acquire(path))
    assert (tmp_path / "access.log").read_text() == "one\ntwo\n"


def test_a_file_that_was_moved_away_is_opened_anew(tmp_path):
    file = module._File(str(tmp_path / "access.log"))
    file.write(b"one\n", 1)
    (tmp_path / "access.log").rename(tmp_path / "access.log.1")
    file.write(b"two\n", 1)
    file.close()
    assert (tmp_path / "access.log.1").read_text() == "one\n"
    assert (tmp_path / "access.log").read_text() == "two\n"


def test_reopening_makes_the_file_anew_before_there_is_a_line(tmp_path):
    path = tmp_path / "access.log"
    writer = acquire(str(path))
    writer.write("one\n")
    module.reopen()
    close(writer)
    path.rename(tmp_path / "access.log.1")
    writer = acquire(str(path))
    module.reopen()
    close(writer)
    assert (tmp_path / "access.log.1").read_text() == "one\n"
    assert path.read_text() == ""


def test_standard_output(capfd):
    writer = acquire("stdout")
    writer.write("line\n")
    close(writer)
    assert capfd.readouterr().out == "line\n"


def test_a_disk_that_stalls_costs_lines_and_not_memory(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(module, "MOST_WAITING", 1000)
    entered, go_on = threading.Event(), threading.Event()
    write_all = module._write_all

    def stalled(descriptor, data):
        entered.set()
        assert go_on.wait(30)
        write_all(descriptor, data)

    monkeypatch.setattr(module, "_write_all", stalled)
    path = tmp_path / "access.log"
    writer = acquire(str(path))
    writer.write("x" * 99 + "\n")
    assert entered.wait(30)
    for _ in range(100):
        writer.write("x" * 99 + "\n")
    assert 0 < len(writer._lines) <= 11
    dropped = writer.dropped
    assert dropped == 100 - len(writer._lines)
    go_on.set()
    close(writer)
    assert path.read_text().count("\n") == 101 - dropped
    assert f"{dropped} lines of the log to {path} were dropped" in caplog.text


@pytest.mark.parametrize("destination", ["file", "stdout"])
def test_a_full_disk_is_said_once_and_lines_are_counted(tmp_path, monkeypatch, caplog, destination):
    def full(descriptor, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    target = module._File(str(tmp_path / "access.log")) if destination == "file" else module._Standard(1)
    monkeypatch.setattr(module, "_write_all", full)
    target.write(b"one\ntwo\n", 2)
    target.write(b"three\n", 1)
    assert target.lost == 3
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "No space left on device" in caplog.text
    target.close()


def test_a_torn_line_does_not_spoil_the_next(tmp_path, monkeypatch):
    path = tmp_path / "access.log"
    write_all = module._write_all

    def torn(descriptor, data):
        os.write(descriptor, data[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    file = module._File(str(path))
    monkeypatch.setattr(module, "_write_all", torn)
    file.write(b"first\n", 1)
    monkeypatch.setattr(module, "_write_all", write_all)
    file.write(b"second\n", 1)
    file.write(b"third\n", 1)
    file.close()
    assert path.read_text() == "fir\nsecond\nthird\n"


def test_a_file_that_cannot_be_opened_stops_nothing(tmp_path, caplog):
    (tmp_path / "directory").mkdir()
    writer = acquire(str(tmp_path / "directory"))
    writer.write("line\n")
    close(writer)
    assert writer.dropped == 1
    assert "cannot be written: Is a directory" in caplog.text


def test_a_stream_that_takes_only_a_part_at_once_gets_everything():
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    data = b"x" * 300_000
    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.extend(iter(lambda: os.read(reading, 65536), b"")))
    thread.start()
    module._write_all(writing, data)
    os.close(writing)
    thread.join()
    os.close(reading)
    assert b"".join(got) == data


def test_closing_an_unused_writer_makes_no_file(tmp_path):
    close(acquire(str(tmp_path / "access.log")))
    assert not (tmp_path / "access.log").exists()


def test_closing_once_more_harms_nobody(tmp_path):
    path = str(tmp_path / "access.log")
    first = acquire(path)
    close(first)
    second = acquire(path)
    close(first)
    second.write("line\n")
    close(second)
    assert (tmp_path / "access.log").read_text() == "line\n"


def test_a_line_after_close_is_written_too(tmp_path):
    path = tmp_path / "access.log"
    os.mkfifo(path)
    writer = acquire(str(path))
    close(writer)
    writer.write("late\n")
    assert path.read_text() == "late\n"
