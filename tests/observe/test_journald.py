from __future__ import annotations

import array
import mmap
import socket
import struct
from collections import deque

import pytest

from edgescript.observe.entry import ERROR, Entry
from edgescript.observe.journald import Journal, encoded, name_of


def parsed(data: bytes) -> dict[str, bytes]:
    """An entry as the journal reads it: https://systemd.io/JOURNAL_NATIVE_PROTOCOL/."""
    found = {}
    while data:
        line, _, rest = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (length,) = struct.unpack("<Q", rest[:8])
            value, data = rest[8 : 8 + length], rest[8 + length + 1 :]
            assert rest[8 + length : 8 + length + 1] == b"\n"
        else:
            data = rest
        found[name.decode()] = value
    return found


@pytest.fixture
def journal(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "journal"))
        receiver.settimeout(30)
        yield receiver


def received(journal: socket.socket) -> bytes:
    """The next entry, be it a datagram or a file."""
    data, ancillary, _, _ = journal.recvmsg(1 << 20, socket.CMSG_LEN(4))
    if not ancillary:
        return data
    numbers = array.array("i")
    numbers.frombytes(ancillary[0][2])
    with open(numbers[0], "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        return mapped[:]


def test_an_entry_has_its_fields_in_capitals():
    fields = (("status", "503", True), ("user_agent", "a\nb", False), ("x-y.z", "=", False))
    assert parsed(encoded(Entry("down\nfor now", ERROR, 0.0, fields, "ab", "cd"), "edge")) == {
        "MESSAGE": b"down\nfor now",
        "PRIORITY": b"3",
        "SYSLOG_IDENTIFIER": b"edge",
        "EDGE_STATUS": b"503",
        "EDGE_USER_AGENT": b"a\nb",
        "EDGE_X_Y_Z": b"=",
        "TRACE_ID": b"ab",
        "SPAN_ID": b"cd",
    }


def test_names_are_such_as_the_journal_takes():
    assert name_of("größe") == "EDGE_GR___E" or name_of("größe").isascii()
    assert len(name_of("x" * 100)) == 64


def test_entries_of_any_size_arrive(journal, tmp_path):
    destination = Journal(str(tmp_path / "journal"))
    large = "x" * 2_000_000
    destination.deliver(deque([Entry("small", ERROR, 0.0), Entry(large, ERROR, 0.0), Entry("after", ERROR, 0.0)]))
    assert [parsed(received(journal))["MESSAGE"] for _ in range(3)] == [b"small", large.encode(), b"after"]
    destination.close()


def test_without_a_journal_the_batch_is_left(tmp_path):
    batch = deque([Entry("x", ERROR, 0.0)])
    with pytest.raises(OSError, match="No such file"):
        Journal(str(tmp_path / "nobody")).deliver(batch)
    assert len(batch) == 1
