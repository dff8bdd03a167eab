"""Messages in and out: over standard input and output for one client, or over TCP for any number of them."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO, Protocol

from lsprotocol import types

from edgescript.catalog import Catalogue
from edgescript.lsp import priority
from edgescript.lsp.server import Server

_log = logging.getLogger("edge.lsp")

#: Bytes of a message; the largest Edgefile fits, escaped.
MOST = 128 * 1024 * 1024
#: Bytes of one header line.
_LONGEST_LINE = 65536
#: Seconds between two looks at whether the editor still runs.
_LOOK = 3.0


class Reader(Protocol):
    """What messages are read from; `asyncio.StreamReader` is one."""

    def readline(self) -> Awaitable[bytes]: ...

    def readexactly(self, size: int, /) -> Awaitable[bytes]: ...


class TooLarge(Exception):
    """No client means a message of this size; what follows it cannot be found."""


async def _at_once() -> None:
    """What was written is on its way already."""


async def serve(reader: Reader, server: Server, drain: Callable[[], Awaitable[None]] = _at_once) -> None:
    """Answer messages until the client says that it ends, or is gone; a client that reads no answers is asked for no more."""
    try:
        while not server.ended.is_set() and (body := await _body(reader)) is not None:
            _receive(server, body)
            await drain()
    except TooLarge as error:
        server.refuse(None, types.ErrorCodes.InvalidRequest, str(error))
    except (ValueError, OSError, asyncio.IncompleteReadError) as error:
        _log.warning("the client is gone: %s", error)  # a line without end, or the middle of a message
    finally:
        server.end()


async def _body(reader: Reader) -> bytes | None:
    """
    The next message, or None at the end. Headers without a length are passed over: the next message may be sound.

    :raises TooLarge: if a message is larger than `MOST`
    """
    size: int | None = None
    while line := await reader.readline():
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            size = int(value) if value.strip().isdigit() and len(value) < 20 else None
        elif not line.strip() and size is not None:
            if size > MOST:
                raise TooLarge(f"a message has at most {MOST:,} bytes")
            return await reader.readexactly(size)
    return None


def _receive(server: Server, body: bytes) -> None:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        server.refuse(None, types.ErrorCodes.ParseError, f"the message is no JSON: {error}")
    else:
        server.receive(message)


class _Writer:
    """Where messages are written to, which lets go of the interpreter."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def write(self, data: bytes) -> None:
        priority.done()
        self._write(data)

    def close(self) -> None:
        """Whoever opened it closes it."""


# ---- standard input and output


def _flushed(stream: BinaryIO) -> Callable[[bytes], object]:
    def write(data: bytes) -> None:
        stream.write(data)
        stream.flush()

    return write


class _Stdin:
    """Standard input, whatever it is (a pipe, a terminal, a file), read in a thread of its own."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._thread = ThreadPoolExecutor(1, "stdin")

    async def readline(self) -> bytes:
        return await self._read(self._stream.readline, _LONGEST_LINE)

    async def readexactly(self, size: int, /) -> bytes:
        data = await self._read(self._stream.read, size)
        if len(data) < size:
            raise asyncio.IncompleteReadError(data, size)
        return data

    async def _read(self, read: Callable[[int], bytes], size: int) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._thread, read, size)


def serve_stdio() -> int:
    """Serve the client at standard input and output until it ends; gives the exit code."""
    out, sys.stdout = sys.stdout.buffer, sys.stderr  # whatever is printed is no message
    server = Server(_catalogue())
    server.protocol.set_writer(_Writer(_flushed(out)))

    async def run() -> None:
        watch = asyncio.get_running_loop().create_task(_watch(server))
        await serve(_Stdin(sys.stdin.buffer), server)
        watch.cancel()

    try:
        asyncio.run(run())
    except BrokenPipeError:
        return 1  # the client does not listen any more
    return server.code


async def _watch(server: Server) -> None:
    """End with the editor that began this; one that crashed may leave the pipe open."""
    while True:
        await asyncio.sleep(_LOOK)
        if server.parent is not None and not is_running(server.parent):
            os._exit(1)  # a thread waits for standard input, and nobody is left to write to it


def is_running(process: int) -> bool:
    """Whether there is a process of this number; it may be someone else's."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


# ---- TCP


async def serve_tcp(host: str, port: int, *, ready: Callable[[Any], None]) -> None:
    """
    Serve any number of clients, each for itself; `ready` is told the address.

    :raises OSError: if the address cannot be listened on
    """
    catalogue = _catalogue()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = Server(catalogue)
        server.protocol.set_writer(_Writer(writer.write))
        await serve(reader, server, writer.drain)
        writer.close()
        gc.collect()  # of the connection; nobody may be left who is idle

    async with await asyncio.start_server(connected, host, port, limit=_LONGEST_LINE) as listening:
        ready(listening.sockets[0].getsockname())
        await listening.serve_forever()


def _catalogue() -> Catalogue:
    """All entries. What is there now stays: only what comes later is looked through for garbage, when nobody waits."""
    catalogue = Catalogue.load()
    gc.disable()
    gc.collect()
    gc.freeze()
    return catalogue
