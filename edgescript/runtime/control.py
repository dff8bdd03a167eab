"""The channel between the supervisor and a worker: messages in JSON, and file descriptors with them, over a socket pair.

A message is a head of eight bytes (its length, and how many descriptors belong to it), and then so many bytes of JSON: an
object whose "type" is a text. Descriptors travel beside the first bytes of their message (unix(7), SCM_RIGHTS), so they are
there when it is whole. Reading is strict: what is no such message ends the channel.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import struct
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

#: Bytes of one message; configurations and the like do not travel in messages but in files.
MOST_BYTES = 16 * 1024 * 1024
#: Descriptors of one message: a worker's sockets.
MOST_DESCRIPTORS = 8192
#: Bytes that wait for the other side to read; it is lost if there are more.
MOST_WAITING = 64 * 1024 * 1024

_HEAD = struct.Struct("!II")
_READ = 256 * 1024
#: The kernel takes at most 253 at once (SCM_MAX_FD).
_AT_ONCE = 250
_ROOM = socket.CMSG_SPACE(4 * _AT_ONCE)
#: Descriptors that come in are not for programs that are started. (macOS has no such flag.)
_CLOSE_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


class Garbage(Exception):
    """What came is no message."""


class ChannelLost(Exception):
    """The other side is gone, or does not read."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Whoever receives it owns its descriptors."""

    type: str
    fields: Mapping[str, Any]
    descriptors: Sequence[int] = ()

    def close(self) -> None:
        """Close its descriptors, for a message that is of no use."""
        for descriptor in self.descriptors:
            os.close(descriptor)


def encode(kind: str, fields: Mapping[str, Any], descriptors: int = 0) -> bytes:
    """A message as bytes. Its descriptors are sent beside it."""
    body = json.dumps({**fields, "type": kind}, separators=(",", ":")).encode()
    if len(body) > MOST_BYTES:
        raise ValueError(f"a message of {len(body):,} bytes is too large")
    return _HEAD.pack(len(body), descriptors) + body


class Decoder:
    """Messages from what was received, piece by piece."""

    def __init__(self, received: bytes = b"") -> None:
        self._received = bytearray(received)
        self._descriptors: deque[int] = deque()

    @property
    def received(self) -> bytes:
        """What is no whole message yet."""
        return bytes(self._received)

    def feed(self, data: bytes, descriptors: Sequence[int] = ()) -> None:
        self._received += data
        self._descriptors += descriptors

    def next(self) -> Message | None:
        """
        The next message that is whole.

        :raises Garbage: if what came is none; nothing can be read any more then
        """
        if len(self._received) < _HEAD.size:
            return None
        length, descriptors = _HEAD.unpack_from(self._received)
        if length > MOST_BYTES or descriptors > MOST_DESCRIPTORS:
            raise Garbage(f"a message of {length:,} bytes and {descriptors:,} descriptors")
        end = _HEAD.size + length
        if len(self._received) < end:
            return None
        kind, fields = _object(bytes(self._received[_HEAD.size : end]))
        if descriptors > len(self._descriptors):
            raise Garbage(f"{kind} came without its descriptors")
        del self._received[:end]
        return Message(kind, fields, tuple([self._descriptors.popleft() for _ in range(descriptors)]))

    def close(self) -> None:
        """Close the descriptors that no message has taken."""
        while self._descriptors:
            os.close(self._descriptors.popleft())


def _object(body: bytes) -> tuple[str, dict[str, Any]]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise Garbage("a message is no JSON") from None
    if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
        raise Garbage("a message has no type")
    return fields.pop("type"), fields


def _descriptors(beside: list[tuple[int, int, bytes]]) -> list[int]:
    """What came with some bytes. (`socket.recv_fds` drops the flags that it is given, up to Python 3.12.)"""
    found: list[int] = []
    for level, kind, data in beside:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found += struct.unpack(f"{len(data) // 4}i", data[: len(data) // 4 * 4])
    return found


def _duplicates(descriptors: Sequence[int]) -> list[int]:
    """:raises OSError: if not all can be had; there are none then"""
    made: list[int] = []
    try:
        for descriptor in descriptors:
            made.append(os.dup(descriptor))  # noqa: PERF401  # those that were made are closed if one fails
    except OSError:
        for descriptor in made:
            os.close(descriptor)
        raise
    return made


class Channel:
    """One end of a socket pair. `send` never waits, `receive` does; both belong to the loop's thread."""

    def __init__(self, end: socket.socket, received: bytes = b"") -> None:
        """
        :param received: what another has read of it already
        """
        end.setblocking(False)
        self._socket = end
        self._decoder = Decoder(received)
        self._waiting: deque[tuple[memoryview, list[int]]] = deque()
        self._size = 0
        self._lost = False
        self._writing = False

    @property
    def waiting(self) -> int:
        """Bytes that were not sent yet."""
        return self._size

    @property
    def received(self) -> bytes:
        """What was read and is no whole message yet: for whoever goes on with the socket."""
        return self._decoder.received

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, kind: str, /, descriptors: Sequence[int] = (), **fields: Any) -> None:
        """
        Send a message soon; its descriptors are duplicated at once.

        :raises ChannelLost: if the other side is gone
        :raises OSError: if the limit of open files leaves no room for the duplicates; nothing is sent then
        """
        if self._lost:
            raise ChannelLost
        data = memoryview(encode(kind, fields, len(descriptors)))
        duplicates = _duplicates(descriptors)
        # A byte for each lot of descriptors: they must be there before the message's last byte is.
        while duplicates:
            lot, duplicates = duplicates[:_AT_ONCE], duplicates[_AT_ONCE:]
            self._waiting.append((data[:1], lot))
            data = data[1:]
            self._size += 1
        self._waiting.append((data, []))
        self._size += len(data)
        if self._size > MOST_WAITING:
            self._lose()
            raise ChannelLost
        if not self._writing:
            self._flush()

    def _flush(self) -> None:
        try:
            while self._waiting:
                data, lot = self._waiting[0]
                sent = self._send_some(data, lot)
                for descriptor in lot:
                    os.close(descriptor)
                self._size -= sent
                if sent < len(data):
                    self._waiting[0] = (data[sent:], [])
                else:
                    self._waiting.popleft()
        except BlockingIOError:
            self._watch(True)
        except OSError:
            self._lose()
        else:
            self._watch(False)

    def _send_some(self, data: memoryview, lot: list[int]) -> int:
        if lot:
            return socket.send_fds(self._socket, [data], lot)
        return self._socket.send(data)

    def _watch(self, wanted: bool) -> None:
        if wanted != self._writing:
            loop = asyncio.get_running_loop()
            if wanted:
                loop.add_writer(self._socket, self._flush)
            else:
                loop.remove_writer(self._socket)
            self._writing = wanted

    def _lose(self) -> None:
        """Forget what cannot be sent. Whoever receives sees the end of the channel, too."""
        self._lost = True
        self._watch(False)
        for _, lot in self._waiting:
            for descriptor in lot:
                os.close(descriptor)
        self._waiting.clear()
        self._size = 0
        with contextlib.suppress(OSError):  # the other side may have closed it
            self._socket.shutdown(socket.SHUT_RDWR)

    async def receive(self) -> Message | None:
        """
        The next message, or None when the other side is gone.

        :raises Garbage: if what came is no message
        """
        while True:
            message = self._decoder.next()
            if message is not None:
                return message
            try:
                data, beside, flags, _ = self._socket.recvmsg(_READ, _ROOM, _CLOSE_ON_EXEC)
            except BlockingIOError:
                await anyio.wait_readable(self._socket)
                continue
            except OSError:
                return None
            self._decoder.feed(data, _descriptors(beside))
            if flags & socket.MSG_CTRUNC:
                raise Garbage("descriptors were lost; is the limit of open files reached?")
            if not data:
                return None

    def close(self) -> None:
        if not self._lost:
            self._lose()
        self._decoder.close()
        self._socket.close()
