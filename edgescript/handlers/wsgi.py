"""What a WSGI application needs beside hypercorn's wrapper, so that PEP 3333 holds."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import IO, Any

from edgescript.api._threads import Threads
from edgescript.handlers.asgi import Message, root_of
from edgescript.http.exchange import Exchange
from edgescript.http.message import HTTPError

#: Bytes of a request's body that are kept in memory; more go to a temporary file.
_IN_MEMORY = 1024 * 1024
#: Bytes of a request's body, where the site sets no bound of its own.
MOST_SPOOLED = 64 * 1024 * 1024


class Sound:
    """
    A WSGI application around another one.

    hypercorn's wrapper sends no head where the application gives no piece of a body, knows no `write`, keeps bodies in memory,
    gives the port as a number, and fails at bytes that are no text; this makes up for it.

    :param environ: what the wrapper is not asked for
    """

    def __init__(self, app: Callable[..., Any], body: IO[bytes], environ: dict[str, str]) -> None:
        self._app = app
        self._body = body
        self._environ = environ
        #: It is running, or has run, and closes the body itself.
        self.begun = False

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        environ.update(self._environ)
        environ["SERVER_PORT"] = str(environ["SERVER_PORT"])
        environ["wsgi.errors"] = sys.stderr
        environ["wsgi.input"] = self._body
        environ["wsgi.input_terminated"] = True
        begun: list[tuple[str, list[tuple[str, str]]]] = []
        written: list[bytes] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            if begun and exc_info is None:
                raise AssertionError("start_response was called twice")
            if begun and sent:
                raise exc_info[1].with_traceback(exc_info[2])
            begun[:] = [(status if " " in status else f"{status} ", headers)]
            return written.append

        sent = False
        self.begun = True
        pieces: Iterable[bytes] = ()
        try:
            pieces = self._app(environ, start)
            for piece in pieces:
                if not sent and begun:
                    start_response(*begun[0])
                sent = sent or bool(begun)
                yield from written
                written.clear()
                yield piece
            if not sent:
                if not begun:
                    raise RuntimeError("the application did not call start_response")
                start_response(*begun[0])
                yield b"".join(written)
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
            self._body.close()

    def close(self) -> None:
        """Close the body of one that was never run."""
        if not self.begun:
            self._body.close()


def adapted(message: Message, exchange: Exchange, size: int) -> tuple[Message, dict[str, str]]:
    """
    A scope that hypercorn's wrapper can take, and what it has to leave out of the environment (PEP 3333 has bytes as latin-1).

    Fields with `_` in their name are left out: `X_Real_IP` would be the same variable as `X-Real-IP`, which a proxy or a
    directive may have set or removed. nginx, Apache and gunicorn do so too.

    :param size: bytes of the request's body, of which the application may know only by Content-Length
    """
    headers = [pair for pair in message["headers"] if b"_" not in pair[0] and pair[0] != b"transfer-encoding"]
    environ = {
        "SCRIPT_NAME": _latin(root_of(exchange)),
        "PATH_INFO": _latin(exchange.path),
        "QUERY_STRING": (exchange.query or b"").decode("latin-1"),
    }
    if size:
        environ["CONTENT_LENGTH"] = str(size)
    return {**message, "path": "/", "root_path": "", "query_string": b"", "headers": headers}, environ


def _latin(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("latin-1")


async def spooled(pieces: AsyncIterator[bytes], threads: Threads, limit: int | None) -> tuple[IO[bytes], int]:
    """
    A request's body as a file, which whoever reads it closes, and its size.

    :raises HTTPError: 413, if it has more bytes than `limit`; whatever keeps it from being read
    """
    most = MOST_SPOOLED if limit is None else limit
    size = 0
    spool = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # closed behind the application
    try:
        async for piece in pieces:
            size += len(piece)
            if size > most:
                raise HTTPError(413, f"the request's body has more than {most} bytes")
            if size > _IN_MEMORY:
                await threads.run(spool.write, piece)
            else:
                spool.write(piece)
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    return spool, size
