"""Responses, and the error that asks for one."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from edgescript.http.body import Body, FileRange
from edgescript.http.headers import Headers

if TYPE_CHECKING:
    import asyncio

#: Reason phrases by status (RFC 9110 15); servers may send any or none.
REASONS = {status.value: status.phrase for status in HTTPStatus}


class Response:
    """
    An answer on its way to the client.

    Steps and response changes may alter it until the engine has written its head. The engine adds what framing needs
    (`content-length`, `transfer-encoding`, `connection`, `date`, `server`); `headers` must not hold the first three, except
    that a response to HEAD, and a 304, may say the `content-length` that GET would have had.
    """

    __slots__ = ("body", "close", "headers", "stamped", "status", "upgrade")

    def __init__(
        self, status: int, headers: Headers, body: bytes | FileRange | Body = b"", *, close: bool = False
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        #: Close the connection after this response.
        self.close = close
        #: Server was written before response changes, which may have taken it away again.
        self.stamped = False
        #: With status 101: takes over the client's transport, and the bytes that came behind the request.
        self.upgrade: Callable[[asyncio.Transport, bytes], None] | None = None


class HTTPError(Exception):
    """
    Answer this request with an error status, through `handle_errors` where the site has a fitting one.

    `reason` is for the log and for `{err.message}`; it is not sent unless the site sends it.
    """

    def __init__(self, status: int, reason: str = "", headers: Headers | None = None) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason
        self.headers: Headers = headers or []


def body_is_gone() -> HTTPError:
    """What fails a step that wants a request's body which an earlier one has taken: bodies that stream are not kept."""
    return HTTPError(500, "the request's body was taken by a step before this one, and was not kept")


class Abort(Exception):
    """Close the client's connection without any response."""


def plain_error(error: HTTPError) -> Response:
    """The answer to an error that no site handles: its status in words. The reason stays in the log."""
    text = f"{error.status} {REASONS.get(error.status, 'Error')}\n"
    return Response(error.status, [(b"content-type", b"text/plain; charset=utf-8"), *error.headers], text.encode())
