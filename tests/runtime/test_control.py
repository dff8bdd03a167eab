"""The channel between supervisor and workers: whatever comes is a message or garbage, in whatever pieces."""

from __future__ import annotations

import os
import resource
import socket
import struct
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgescript.runtime.control import MOST_BYTES, Channel, ChannelLost, Decoder, Garbage, Message, encode

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
FIELDS = st.dictionaries(st.text().filter(lambda name: name != "type"), VALUES, max_size=4)


@given(st.lists(st.tuples(st.text(), FIELDS), max_size=4), st.lists(st.integers(1, 50)))
def test_messages_are_the_same_in_whatever_pieces_they_come(
    messages: list[tuple[str, dict[str, Any]]], cuts: list[int]
) -> None:
    data = b"".join(encode(kind, fields) for kind, fields in messages)
    decoder = Decoder()
    found = []
    for size in [*cuts, len(data)]:
        piece, data = data[:size], data[size:]
        decoder.feed(piece)
        while (message := decoder.next()) is not None:
            found.append((message.type, message.fields))
    assert found == messages
    assert decoder.received == b""


@given(st.binary())
def test_garbage_is_garbage_and_nothing_worse(data: bytes) -> None:
    decoder = Decoder()
    decoder.feed(data)
    try:
        while decoder.next() is not None:
            pass
    except Garbage:
        pass


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"nonsense", b'{"type": 1}', b"\xff", b'{"type": "a"', b"[" * 100_000]
)
def test_what_is_no_object_with_a_type_is_garbage(body: bytes) -> None:
    decoder = Decoder()
    decoder.feed(struct.pack("!II", len(body), 0) + body)
    with pytest.raises(Garbage):
        decoder.next()


@pytest.mark.parametrize(("length", "descriptors"), [(MOST_BYTES + 1, 0), (2**32 - 1, 0), (2, 100_000)])
def test_what_is_too_large_is_not_waited_for(length: int, descriptors: int) -> None:
    decoder = Decoder()
    decoder.feed(struct.pack("!II", length, descriptors))
    with pytest.raises(Garbage):
        decoder.next()


def test_a_message_without_its_descriptors_is_garbage() -> None:
    decoder = Decoder()
    decoder.feed(encode("prepare", {}, 1))
    with pytest.raises(Garbage, match="without its descriptors"):
        decoder.next()


# ---- over a socket pair


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    yield one, other
    one.close()
    other.close()


def test_where_too_many_are_open_nothing_is_sent_and_nothing_leaks(
    no_leaks: None, pair: tuple[socket.socket, socket.socket]
) -> None:
    async def exchange() -> None:
        sender, receiver = Channel(pair[0]), Channel(pair[1])
        descriptor = pair[0].fileno()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = os.dup(descriptor)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free + 2, hard))
        try:
            with pytest.raises(OSError, match="Too many open files"):
                sender.send("first", [descriptor] * 64)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert os.dup(descriptor) == free
        os.close(free)
        sender.send("second")
        assert await receiver.receive() == Message("second", {})
        sender.close()
        receiver.close()

    anyio.run(exchange)


def test_descriptors_arrive_with_their_messages(no_leaks: None, pair: tuple[socket.socket, socket.socket]) -> None:
    async def exchange() -> None:
        sender, receiver = Channel(pair[0]), Channel(pair[1])
        reading, writing = os.pipe()
        sender.send("first", text="no descriptor")
        sender.send("second", [writing])
        sender.send("third", [reading] * 600)
        os.close(reading)
        os.close(writing)
        first, second, third = [await receiver.receive() for _ in range(3)]
        assert first == Message("first", {"text": "no descriptor"})
        assert second is not None
        assert third is not None
        assert len(third.descriptors) == 600
        os.write(second.descriptors[0], b"through")
        assert os.read(third.descriptors[599], 7) == b"through"
        assert not any(os.get_inheritable(descriptor) for descriptor in third.descriptors)
        second.close()
        third.close()
        sender.close()
        assert await receiver.receive() is None
        receiver.close()

    anyio.run(exchange, backend_options={"use_uvloop": True})


def test_what_is_large_is_sent_while_the_other_side_reads(
    no_leaks: None, pair: tuple[socket.socket, socket.socket]
) -> None:
    async def exchange() -> None:
        sender, receiver = Channel(pair[0]), Channel(pair[1])
        for number in range(4):
            sender.send("large", number=number, text="x" * 3_000_000)
        assert sender.waiting
        for number in range(4):
            message = await receiver.receive()
            assert message is not None
            assert (message.fields["number"], len(message.fields["text"])) == (number, 3_000_000)
        assert not sender.waiting
        sender.close()
        receiver.close()

    anyio.run(exchange, backend_options={"use_uvloop": True})


def test_a_side_that_never_reads_is_lost_and_costs_no_more_memory(
    no_leaks: None, pair: tuple[socket.socket, socket.socket]
) -> None:
    async def exchange() -> None:
        sender = Channel(pair[0])
        with pytest.raises(ChannelLost):
            _ = [sender.send("large", text="x" * 3_000_000) for _ in range(100)]
        assert sender.waiting == 0
        with pytest.raises(ChannelLost):
            sender.send("more")
        sender.close()

    anyio.run(exchange, backend_options={"use_uvloop": True})


def test_another_can_go_on_where_one_has_stopped_reading(pair: tuple[socket.socket, socket.socket]) -> None:
    async def exchange() -> None:
        whole = encode("first", {}) + encode("second", {})
        pair[0].sendall(whole[:-3])
        before = Channel(pair[1])
        message = await before.receive()
        assert message is not None
        assert message.type == "first"
        with anyio.move_on_after(0.05):
            await before.receive()
        after = Channel(pair[1], before.received)
        pair[0].sendall(whole[-3:])
        message = await after.receive()
        assert message is not None
        assert message.type == "second"

    anyio.run(exchange)
