"""What a handler answers with."""

from __future__ import annotations

import json as jsons
from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any

from edgescript.api._fields import Headers, raw_headers
from edgescript.api._scope import current
from edgescript.api._streams import Iterated
from edgescript.http import headers as fields
from edgescript.http.body import FileRange, collect, discard
from edgescript.http.message import HTTPError as _HTTPError
from edgescript.http.message import Response as _Response

#: What a body may be: bytes, a text (UTF-8), or an iterator of either, which is sent as it comes.
Content = bytes | str | AsyncIterable[bytes | str] | Iterable[bytes | str]

#: Bytes of a body that is read whole.
MOST_READ = 16 * 1024 * 1024

_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_BINARY = (b"content-type", b"application/octet-stream")
_JSON = (b"content-type", b"application/json")


class HTTPError(_HTTPError):
    """
    Raised by a handler, it answers the request with an error status, through `handle_errors` where the site has a fitting one.

    :param status: 400 to 599
    :param reason: for the log and `{err.message}`; it is not sent unless the site sends it
    :param headers: of the answer, such as `Retry-After`
    :raises ValueError: if it is another status, or a name in the headers is none
    """

    def __init__(
        self, status: int, reason: str = "", headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()
    ) -> None:
        if not 400 <= status <= 599:
            raise ValueError(f"{status} is no status of an error")
        super().__init__(status, reason, raw_headers(headers))


class Response:
    """
    An answer.

        Response("hello")
        Response(b"...", headers={"Content-Type": "image/png"})
        Response.json({"id": 7}, 201)
        Response(lines())                 # an async generator: sent as it comes, no quicker than the client reads

    :param content: a text is sent as UTF-8 and called `text/plain`, unless `headers` say otherwise
    :param status: 200 to 599
    :param headers: a mapping, or pairs where a name comes more than once
    :param length: bytes that an iterator will give, where that is known
    :raises ValueError: if the status is none, or a name in the headers
    :raises TypeError: if the content is nothing that can be sent
    """

    __slots__ = ("raw",)

    def __init__(
        self,
        content: Content = b"",
        status: int = 200,
        *,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        length: int | None = None,
    ) -> None:
        if not 200 <= status <= 599:
            raise ValueError(f"{status} is no status of a response")
        pairs = raw_headers(headers)
        if isinstance(content, str):
            body: Any = content.encode()
            kind = _TEXT
        elif isinstance(content, bytes | bytearray | memoryview):
            body, kind = bytes(content), _BINARY
        elif isinstance(content, AsyncIterable | Iterable) and not isinstance(content, Mapping):
            body, kind = Iterated(content, current("a Response with an iterator"), length), _BINARY
        else:
            raise TypeError(f"the content of a response is text, bytes or an iterator, and not {content!r}")
        if (body or length) and fields.first(pairs, b"content-type") is None:
            pairs.insert(0, kind)
        #: The response as the server has it.
        self.raw = _Response(status, pairs, body)

    @classmethod
    def json(
        cls, value: Any, status: int = 200, *, headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()
    ) -> Response:
        """
        An answer in JSON.

        :raises TypeError: if JSON cannot say the value
        """
        made = cls(jsons.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), status)
        made.raw.headers = raw_headers(headers)
        if fields.first(made.raw.headers, b"content-type") is None:
            made.raw.headers.insert(0, _JSON)
        return made

    @classmethod
    def redirect(cls, location: str, status: int = 302) -> Response:
        """An answer that sends the client elsewhere."""
        return cls(b"", status, headers={"Location": location})

    @classmethod
    def of(cls, raw: _Response) -> Response:
        """A response of the server's, as handlers see it."""
        made = cls.__new__(cls)
        made.raw = raw
        return made

    @property
    def status(self) -> int:
        """The status; a wrapper may change it."""
        return self.raw.status

    @status.setter
    def status(self, status: int) -> None:
        if not 200 <= status <= 599:
            raise ValueError(f"{status} is no status of a response")
        self.raw.status = status

    @property
    def headers(self) -> Headers:
        """The header; a wrapper may change it. How the body is framed, the server says itself."""
        return Headers(self.raw.headers)

    async def body(self, limit: int = MOST_READ) -> bytes:
        """
        All of the body, which can still be sent then.

        :param limit: bytes
        :raises BodyTooLarge: if it has more; the response cannot be sent any more then
        :raises BodyBroken: if it broke off
        """
        body = self.raw.body
        if isinstance(body, FileRange):
            self.raw.body = b""  # its file is closed, whatever comes of it
            body = await _contents(body, limit)
        self.raw.body = await collect(body, limit)
        return self.raw.body

    def replace(self, content: Content, *, length: int | None = None) -> None:
        """Send something else in the body's place. What describes the old one (`ETag`, `Content-Encoding` …) goes."""
        kept = [pair for pair in self.raw.headers if pair[0] not in _OF_BODY]
        discard(self.raw.body)
        self.raw.body = Response(content, length=length).raw.body
        self.raw.headers[:] = kept

    def __repr__(self) -> str:
        return f"<Response {self.raw.status}>"


#: Fields that say something about a body's bytes.
_OF_BODY = frozenset(
    (b"content-length", b"content-encoding", b"content-range", b"accept-ranges", b"etag", b"content-md5")
)


async def _contents(part: FileRange, limit: int) -> bytes:
    """The bytes of a file, read in a thread; the file is closed then."""
    import os

    from edgescript.http.body import BodyTooLarge

    try:
        if part.length > limit:
            raise BodyTooLarge
        read = current("Response.body()").threads.run
        return await read(os.pread, part.descriptor, part.length, part.offset)
    finally:
        os.close(part.descriptor)
