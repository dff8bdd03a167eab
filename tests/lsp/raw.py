"""A client that sends whatever a test wants to send, sound or not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

EDGE = [sys.executable, "-c", "from edgescript.cli.main import main; main()", "lsp"]


def framed(message: Any) -> bytes:
    body = message if isinstance(message, bytes) else json.dumps({"jsonrpc": "2.0", **message}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def request(number: int, method: str, params: Any = None) -> bytes:
    return framed({"id": number, "method": method, "params": params})


def notification(method: str, params: Any = None) -> bytes:
    return framed({"method": method, "params": params})


INITIALIZE = request(1, "initialize", {"processId": None, "rootUri": None, "capabilities": {}})
SHUTDOWN = request(99, "shutdown")
EXIT = notification("exit")


def messages(stream: BinaryIO) -> Iterator[dict[str, Any]]:
    """What a server says, one by one."""
    while line := stream.readline():
        if line.lower().startswith(b"content-length:"):
            size = int(line.partition(b":")[2])
            while stream.readline().strip():
                pass
            yield json.loads(stream.read(size))


class Done:
    """What a server said to some bytes, and how it ended."""

    def __init__(self, sent: bytes) -> None:
        import io

        done = subprocess.run(EDGE, input=sent, capture_output=True, timeout=100)
        self.code, self.stderr = done.returncode, done.stderr.decode()
        self.messages = list(messages(io.BytesIO(done.stdout)))

    def answer(self, number: int | None) -> dict[str, Any]:
        (found,) = (m for m in self.messages if "method" not in m and m["id"] == number)
        return found


@contextmanager
def server(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [*EDGE, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
