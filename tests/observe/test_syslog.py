from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgescript.observe import network
from edgescript.observe import writer as writing
from edgescript.observe.entry import ERROR, INFO, Entry
from edgescript.observe.network import Address
from edgescript.observe.syslog import FACILITIES, Form, Syslog, message
from edgescript.observe.writer import LineWriter
from tests.observe.receivers import StreamReceiver, certificate, has_openssl, wait_for

FORM = Form(FACILITIES["local7"], "edge", hostname="host.example", process="42")
#: RFC 5424, 6.
MESSAGE = re.compile(
    rb"<(?P<pri>[0-9]{1,3})>1 (?P<when>\S+) (?P<host>[!-~]{1,255}) (?P<app>[!-~]{1,48}) (?P<process>[!-~]{1,128}) -"
    rb' (?P<data>(?:\[[!-~]+(?: [^\s=\]"]{1,32}="(?:[^"\\\]]|\\.)*")*\])+) (?P<text>.*)',
    re.DOTALL,
)


def entry(text: str, severity: int = INFO, **fields: str) -> Entry:
    return Entry(text, severity, 1_700_000_000.25, tuple((name, value, False) for name, value in fields.items()))


@pytest.mark.parametrize(
    ("told", "form", "data"),
    [
        (
            entry('{"a":1}'),
            FORM,
            b'<190>1 2023-11-14T22:13:20.250Z host.example edge 42 - [meta sequenceId="7"] {"a":1}',
        ),
        (
            entry("down", ERROR),
            Form(FACILITIES["daemon"], "my edge\n"),
            b'<27>1 2023-11-14T22:13:20.250Z - my_edge_ - - [meta sequenceId="7"] down',
        ),
        (
            entry("größer"),
            FORM,
            b'<190>1 2023-11-14T22:13:20.250Z host.example edge 42 - [meta sequenceId="7"] '
            b"\xef\xbb\xbfgr\xc3\xb6\xc3\x9fer",
        ),
        (
            entry("x", uri='/a"]\\\n', status="200"),
            Form(23, "edge", "edge@12345"),
            b'<190>1 2023-11-14T22:13:20.250Z - edge - - [meta sequenceId="7"]'
            b'[edge@12345 uri="/a\\"\\]\\\\ " status="200"] x',
        ),
    ],
)
def test_a_message(told, form, data):
    assert message(told, form, 7) == data


def test_numbers_begin_again_behind_the_greatest():
    assert b'sequenceId="2147483647"' in message(entry("x"), FORM, 2_147_483_647)
    assert b'sequenceId="1"' in message(entry("x"), FORM, 2_147_483_648)


def test_a_message_is_cut_where_the_receiver_stops_reading():
    form = Form(23, "edge", most=480)
    assert len(message(entry("x" * 1000), form, 1)) == 480
    cut = message(entry("ö" * 1000), form, 1)
    assert 479 <= len(cut) <= 480
    cut.decode()


@given(st.text(max_size=50), st.text(max_size=30), st.text(max_size=20))
def test_any_text_makes_a_message_by_the_grammar(text, value, app):
    told = Entry(text, INFO, 0.0, ((value, text, False), ("uri", value, False)))
    found = MESSAGE.fullmatch(message(told, Form(0, app, "edge@1", hostname=app), 1))
    assert found is not None
    assert found["text"].removeprefix(b"\xef\xbb\xbf") == text.encode("utf-8", "replace")


def close(writer: LineWriter) -> None:
    asyncio.run(writer.close())


def writer_to(address: Address, **form: str) -> LineWriter:
    return LineWriter("syslog", Syslog(address, Form(23, "edge", **form)))


@pytest.fixture
def quick(monkeypatch):
    """Fails, and tries again, soon."""
    monkeypatch.setattr(network, "TIMEOUT", 0.1)
    monkeypatch.setattr(writing, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(writing, "MOST_DELAY", 0.02)


def test_datagrams():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(30)
        writer = writer_to(Address("udp", "127.0.0.1", receiver.getsockname()[1]))
        for number in range(3):
            writer.write(entry(str(number)))
        texts = [MESSAGE.fullmatch(receiver.recv(65536))["text"] for _ in range(3)]
        close(writer)
    assert texts == [b"0", b"1", b"2"]


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_unix_sockets_of_both_kinds(tmp_path, kind):
    path = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, kind) as receiver:
        receiver.bind(path)
        receiver.settimeout(30)
        if kind == socket.SOCK_STREAM:
            receiver.listen()
        writer = writer_to(Address("unix", path))
        writer.write(entry("hello"))
        if kind == socket.SOCK_STREAM:
            connection, _ = receiver.accept()
            with connection, connection.makefile("rb") as file:
                data = file.readline()
        else:
            data = receiver.recv(65536)
        close(writer)
    assert MESSAGE.fullmatch(data)["text"].rstrip(b"\n") == b"hello"


def test_octets_are_counted_on_a_stream():
    receiver = StreamReceiver()
    writer = writer_to(Address("tcp", "127.0.0.1", receiver.port))
    for text in ("one", "two\nlines", "ö"):
        writer.write(entry(text))
    close(writer)
    wait_for(lambda: len(receiver.messages()) == 3)
    receiver.stop()
    assert [MESSAGE.fullmatch(data)["text"] for data in receiver.messages()] == [
        b"one",
        b"two\nlines",
        b"\xef\xbb\xbf\xc3\xb6",
    ]


@pytest.mark.skipif(not has_openssl, reason="makes certificates with openssl")
@pytest.mark.parametrize("trusted", [True, False])
def test_tls_is_verified(tmp_path, quick, caplog, trusted):
    made, key = certificate(tmp_path, "logs.internal")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    receiver = StreamReceiver(context)
    address = Address("tls", "127.0.0.1", receiver.port, made, "logs.internal" if trusted else None)
    network.TIMEOUT = 5.0
    writer = writer_to(address)
    writer.write(entry("secret"))
    if trusted:
        wait_for(lambda: receiver.messages())
        assert MESSAGE.fullmatch(receiver.messages()[0])["text"] == b"secret"
    else:
        wait_for(lambda: "cannot be written" in caplog.text)
        assert "CERTIFICATE_VERIFY_FAILED" in caplog.text or "certificate" in caplog.text
    close(writer)
    receiver.stop()
    assert writer.dropped == (0 if trusted else 1)
    assert bool(receiver.received) == trusted


def test_a_receiver_that_comes_back_gets_what_waited(quick, caplog):
    receiver = StreamReceiver()
    writer = writer_to(Address("tcp", "127.0.0.1", receiver.port))
    writer.write(entry("first"))
    wait_for(lambda: receiver.messages())
    receiver.stop()
    writer.write(entry("second"))
    wait_for(lambda: "cannot be written" in caplog.text)
    writer.write(entry("third"))
    again = StreamReceiver(port=receiver.port)
    wait_for(lambda: len(again.messages()) == 2)
    close(writer)
    again.stop()
    assert [MESSAGE.fullmatch(data)["text"] for data in again.messages()] == [b"second", b"third"]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert writer.dropped == 0


def test_a_receiver_that_never_reads_costs_lines_and_not_memory(quick, monkeypatch, caplog):
    monkeypatch.setattr(writing, "MOST_WAITING", 2_000_000)
    receiver = StreamReceiver(reads=False)
    writer = writer_to(Address("tcp", "127.0.0.1", receiver.port))
    line = entry("x" * 8000)

    def is_full() -> bool:
        for _ in range(50):
            writer.write(line)
        return writer.dropped > 0

    wait_for(is_full)
    assert sum(map(len, writer._lines)) <= 2_100_000
    wait_for(lambda: "cannot be written" in caplog.text)
    close(writer)
    receiver.stop()


def test_what_waits_is_sent_before_the_end():
    receiver = StreamReceiver()
    writer = writer_to(Address("tcp", "127.0.0.1", receiver.port))
    for number in range(500):
        writer.write(entry(str(number)))
    close(writer)
    wait_for(lambda: len(receiver.messages()) == 500)
    receiver.stop()


def test_a_batch_that_fails_in_the_middle_goes_on_where_it_stopped(monkeypatch):
    sent: list[bytes] = []

    class Connection:
        def send(self, data: bytes) -> None:
            if len(sent) == 1 and data not in sent:
                sent.append(b"failed")
                raise OSError("no")
            sent.append(data)

        def close(self) -> None:
            """Nothing is open."""

    monkeypatch.setattr("edgescript.observe.syslog.connect", lambda address: (Connection(), True))
    syslog = Syslog(Address("udp", "h", 1), FORM)
    batch = deque([entry("one"), entry("two")])
    with pytest.raises(OSError, match="no"):
        syslog.deliver(batch)
    assert [left.text for left in batch] == ["two"]
    syslog.deliver(batch)
    assert not batch
    assert b'sequenceId="2"' in sent[-1]
