from __future__ import annotations

import asyncio
import errno
import os
import stat
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import pytest

from edgescript.metric import Meter
from edgescript.observe import stream
from edgescript.observe import writer as module
from edgescript.observe.entry import Entry
from edgescript.observe.file import File
from edgescript.observe.network import Address
from edgescript.observe.stream import Standard
from edgescript.observe.syslog import Form, Syslog
from edgescript.observe.writer import LINES, LineWriter, Rejected


def acquire(path: str, meter: Meter | None = None) -> LineWriter:
    return LineWriter(path, Standard(path) if path in ("stdout", "stderr") else File(path), meter)


def wait_for(condition: Callable[[], object]) -> None:
    """What another thread does soon."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


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


def test_a_file_that_was_moved_away_is_opened_anew(tmp_path):
    file = File(str(tmp_path / "access.log"))
    file.deliver(deque(["one\n"]))
    (tmp_path / "access.log").rename(tmp_path / "access.log.1")
    file.deliver(deque(["two\n"]))
    file.close()
    assert (tmp_path / "access.log.1").read_text() == "one\n"
    assert (tmp_path / "access.log").read_text() == "two\n"


def test_reopening_makes_the_file_anew_before_there_is_a_line(tmp_path):
    path = tmp_path / "access.log"
    writer = acquire(str(path))
    writer.write("one\n")
    wait_for(path.exists)
    path.rename(tmp_path / "access.log.1")
    module.reopen()
    wait_for(path.exists)
    close(writer)
    assert (tmp_path / "access.log.1").read_text() == "one\n"
    assert path.read_text() == ""


def test_reopening_a_log_that_was_never_written_opens_nothing(tmp_path):
    writer = acquire(str(tmp_path / "access.log"))
    module.reopen()
    close(writer)
    assert not (tmp_path / "access.log").exists()


def test_standard_output(capfd):
    writer = acquire("stdout")
    writer.write("line\n")
    close(writer)
    assert capfd.readouterr().out == "line\n"


def test_a_disk_that_stalls_costs_lines_and_not_memory(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(module, "MOST_WAITING", 1000)
    path = tmp_path / "access.log"
    destination = Stalling(path)
    meter = Meter()
    writer = LineWriter(str(path), destination, meter)
    writer.write("x" * 99 + "\n")
    assert destination.entered.wait(30)
    for _ in range(100):
        writer.write("x" * 99 + "\n")
    assert 0 < len(writer._lines) <= 11
    dropped = writer.dropped
    assert dropped == 100 - len(writer._lines)
    destination.go_on.set()
    close(writer)
    assert path.read_text().count("\n") == 101 - dropped
    assert f"{dropped} lines of the log to {path} were dropped" in caplog.text
    assert meter.counter(LINES, str(path), "dropped").value == dropped
    assert meter.counter(LINES, str(path), "written").value == 101 - dropped


class Stalling(File):
    """A file whose disk stands still until it is told to go on."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.entered, self.go_on = threading.Event(), threading.Event()

    def deliver(self, batch):
        self.entered.set()
        assert self.go_on.wait(30)
        super().deliver(batch)


def test_a_full_disk_is_said_once_and_what_waits_is_written_when_it_heals(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(module, "FIRST_DELAY", 0.001)
    monkeypatch.setattr(module, "MOST_DELAY", 0.001)
    path = tmp_path / "access.log"
    path.symlink_to("/dev/full")
    writer = acquire(str(path))
    writer.write("one\n")
    wait_for(lambda: "No space left on device" in caplog.text)
    writer.write("two\n")
    path.unlink()
    wait_for(lambda: path.exists() and path.read_text() == "one\ntwo\n")
    close(writer)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "is written again; 0 of its lines" in caplog.text
    assert writer.dropped == 0


class Flapping:
    """A destination that fails as often as it works."""

    def __init__(self) -> None:
        self.tries = 0

    def deliver(self, batch):
        self.tries += 1
        if self.tries % 2:
            raise OSError("it hangs")
        batch.clear()

    def reopen(self):
        pass

    def close(self):
        pass


def test_a_destination_that_heals_and_fails_in_turn_is_told_of_once(monkeypatch, caplog):
    monkeypatch.setattr(module, "FIRST_DELAY", 0.001)
    monkeypatch.setattr(module, "LINGER", 0.001)
    flapping = Flapping()
    writer = LineWriter("flapping", flapping)
    while flapping.tries < 10:
        tries = flapping.tries
        writer.write("line\n")
        wait_for(lambda tries=tries: flapping.tries >= tries + 2)
    close(writer)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_a_destination_that_keeps_failing_after_it_had_healed_is_told_of_again(monkeypatch, caplog):
    monkeypatch.setattr(module, "FIRST_DELAY", 0.001)
    monkeypatch.setattr(module, "LINGER", 0.001)
    monkeypatch.setattr(module, "BETWEEN_WARNINGS", 0.05)
    flapping = Flapping()
    writer = LineWriter("flapping", flapping)
    writer.write("line\n")
    wait_for(lambda: len(caplog.records) == 2)
    flapping.deliver = lambda batch: (_ for _ in ()).throw(OSError("it is gone"))
    writer.write("line\n")
    wait_for(lambda: len(caplog.records) == 3)
    assert "cannot be written: it is gone" in caplog.text
    close(writer)


def test_an_output_whose_host_can_be_none_fails_like_any_other(caplog, monkeypatch):
    monkeypatch.setattr(module, "FIRST_DELAY", 0.001)
    writer = LineWriter("syslog", Syslog(Address("udp", "a..b", 514), Form(1, "edge")))
    writer.write(Entry("line", 6, 0.0))
    wait_for(lambda: "cannot be written" in caplog.text)
    close(writer)
    assert writer.dropped == 1


def test_what_a_destination_that_hangs_does_not_take_at_the_end_is_told(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(LineWriter, "_gave_up", -1000.0)
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    monkeypatch.setattr(module, "LEAST_PATIENCE", 0.01)
    destination = Stalling(tmp_path / "access.log")
    writer = LineWriter("stalling", destination)
    writer.write("line\n")
    assert destination.entered.wait(30)
    close(writer)
    destination.go_on.set()
    assert "1 lines of the log to stalling were not taken at the end" in caplog.text
    wait_for(lambda: not writer._thread.is_alive())


def test_outputs_that_hang_are_waited_for_together(tmp_path, monkeypatch):
    monkeypatch.setattr(LineWriter, "_gave_up", -1000.0)
    monkeypatch.setattr(module, "PATIENCE", 1.0)
    monkeypatch.setattr(module, "LEAST_PATIENCE", 0.2)
    hanging = [Stalling(tmp_path / str(number)) for number in range(10)]
    writers = [LineWriter("stalling", destination) for destination in hanging]
    for writer, destination in zip(writers, hanging, strict=True):
        writer.write("line\n")
        assert destination.entered.wait(30)
    waited = []
    for writer in writers:
        monkeypatch.setattr(writer._thread, "join", waited.append)
        close(writer)
    assert waited == [1.0] + [0.2] * 9
    for writer, destination in zip(writers, hanging, strict=True):
        destination.go_on.set()
        wait_for(lambda writer=writer: not writer._thread.is_alive())


def test_what_cannot_be_written_until_the_end_is_counted(caplog):
    meter = Meter()
    writer = acquire("/dev/full", meter)
    for _ in range(3):
        writer.write("line\n")
    close(writer)
    assert writer.dropped == meter.counter(LINES, "/dev/full", "lost").value == 3
    assert "3 lines of the log to /dev/full are lost" in caplog.text


def test_a_folder_that_vanished_is_made_anew(tmp_path):
    path = tmp_path / "logs" / "access.log"
    file = File(str(path))
    file.deliver(deque(["one\n"]))
    path.unlink()
    path.parent.rmdir()
    file.deliver(deque(["two\n"]))
    file.close()
    assert path.read_text() == "two\n"


def test_what_a_destination_will_never_take_is_lost_and_the_rest_goes_on(caplog):
    class Picky:
        def __init__(self) -> None:
            self.taken: list[str] = []

        def deliver(self, batch):
            if "bad\n" in batch:
                raise Rejected("it is bad")
            self.taken += batch
            batch.clear()

        def close(self):
            pass

    picky = Picky()
    writer = LineWriter("picky", picky)
    writer.write("bad\n")
    wait_for(lambda: writer.dropped == 1)
    writer.write("good\n")
    close(writer)
    assert picky.taken == ["good\n"]
    assert "lines of the log to picky are lost: it is bad" in caplog.text


def test_a_torn_line_does_not_spoil_the_next(tmp_path, monkeypatch):
    path = tmp_path / "access.log"
    write = os.write
    left = 9

    def torn(descriptor, data):
        nonlocal left
        if not left:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = write(descriptor, data[:left])
        left -= written
        return written

    file = File(str(path))
    batch = deque(["first\n", "second\n"])
    monkeypatch.setattr(stream.os, "write", torn)
    with pytest.raises(OSError, match="No space"):
        file.deliver(batch)
    assert list(batch) == ["second\n"]
    left = 1000
    file.deliver(batch)
    file.close()
    assert path.read_text() == "first\nsec\nsecond\n"


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
    line = "x" * 99_999 + "\n"
    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.extend(iter(lambda: os.read(reading, 65536), b"")))
    thread.start()
    stream.write_lines(writing, deque([line] * 3))
    os.close(writing)
    thread.join()
    os.close(reading)
    assert b"".join(got) == line.encode() * 3


def test_closing_an_unused_writer_makes_no_file(tmp_path):
    close(acquire(str(tmp_path / "access.log")))
    assert not (tmp_path / "access.log").exists()


def test_closing_once_more_does_no_harm(tmp_path):
    writer = acquire(str(tmp_path / "access.log"))
    writer.write("line\n")
    close(writer)
    close(writer)
    assert (tmp_path / "access.log").read_text() == "line\n"


def test_a_line_after_close_is_written_too(tmp_path):
    path = tmp_path / "access.log"
    os.mkfifo(path)
    writer = acquire(str(path))
    close(writer)
    writer.write("late\n")
    assert path.read_text() == "late\n"


def test_a_writer_that_waits_for_a_dead_destination_ends_soon(monkeypatch):
    monkeypatch.setattr(module, "FIRST_DELAY", 60.0)
    writer = acquire("/dev/full")
    writer.write("line\n")
    wait_for(lambda: writer._delay == 60.0)
    begun = time.monotonic()
    close(writer)
    assert time.monotonic() - begun < 30
    assert writer.dropped == 1
