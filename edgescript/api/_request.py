"""What a handler is asked."""

from __future__ import annotations

import json as jsons
from collections.abc import AsyncIterator, Mapping
from typing import Any

from edgescript.api._fields import Headers, Values, parse_values
from edgescript.api._response import HTTPError
from edgescript.api._streams import Reader
from edgescript.http import headers as fields
from edgescript.http.body import BodyBroken, BodyTooLarge, collect
from edgescript.http.exchange import Exchange
from edgescript.http.message import HTTPError as _HTTPError

#: Bytes of a body that is read whole, unless more is asked for.
MOST_READ = 16 * 1024 * 1024


class Request:
    """
    One request, as the directives above have left it.

    What it says is read when it is asked for. `headers` and `vars` may be changed, for the directives below a wrapper.
    """

    __slots__ = ("_content", "exchange")

    def __init__(self, exchange: Exchange) -> None:
        #: The request as the server has it; its attributes are not promised to stay as they are.
        self.exchange = exchange
        self._content: bytes | None = exchange.body if isinstance(exchange.body, bytes) else None

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.url}>"

    # ---- what is asked for

    @property
    def method(self) -> str:
        """`GET`, as sent."""
        return self.exchange.method.decode("latin-1")

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        return self.exchange.client.scheme

    @property
    def host(self) -> str:
        """The host that was asked for, in small letters and without a port."""
        return self.exchange.host

    @property
    def path(self) -> str:
        """The path, decoded, without dot segments and empty ones: `/a b/c`."""
        return self.exchange.path

    @property
    def query(self) -> Values:
        """
        The parameters of the query.

        :raises HTTPError: 400, if there are more than 1000
        """
        try:
            return parse_values(self.exchange.query or b"")
        except ValueError as error:
            raise HTTPError(400, f"the query cannot be read: {error}") from None

    @property
    def url(self) -> str:
        """All of it, as it would stand in an address bar: `http://shop.example.com:8080/a%20b?x=1`."""
        exchange = self.exchange
        host = f"[{exchange.host}]" if ":" in exchange.host else exchange.host
        port = "" if exchange.port is None else f":{exchange.port}"
        return f"{self.scheme}://{host}{port}{exchange.uri.decode('latin-1')}"

    @property
    def version(self) -> str:
        """The version of HTTP: `1.1`, `2` or `3`."""
        return self.exchange.version

    # ---- who asks

    @property
    def client_ip(self) -> str:
        """The client's address, which a trusted proxy may have told."""
        return self.exchange.client_ip

    @property
    def headers(self) -> Headers:
        """The header fields. What is changed, the directives below and their upstreams see."""
        return Headers(self.exchange.headers)

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies by name; of several with one name the first, as browsers send the most specific first."""
        found: dict[str, str] = {}
        for line in fields.every(self.exchange.headers, b"cookie"):
            for pair in line.decode("utf-8", "surrogateescape").split(";"):
                name, equals, value = pair.strip().partition("=")
                if equals:
                    found.setdefault(name.strip(), value.strip().removeprefix('"').removesuffix('"'))
        return found

    @property
    def id(self) -> str:
        """The request's own random name, as `{request_id}`."""
        return self.exchange.request_id

    # ---- what directives found out

    @property
    def vars(self) -> dict[str, Any]:
        """The variables that `vars` and `map` have set; what is set here, `{vars.NAME}` gives below, and in the log."""
        variables = self.exchange.variables
        if variables is None:
            variables = self.exchange.variables = {}
        return variables

    @property
    def captures(self) -> Mapping[str, str]:
        """What regular expressions of matchers have captured, by `NAME.GROUP`, as `{re.NAME.GROUP}`."""
        return self.exchange.captures or {}

    # ---- the body

    @property
    def content(self) -> bytes:
        """
        The whole body: in a plain function, for which it has been read, and in a coroutine after `body()`.

        :raises RuntimeError: if it has not been read
        """
        if self._content is None:
            raise RuntimeError("the body has not been read: `await request.body()`")
        return self._content

    async def body(self, limit: int = MOST_READ) -> bytes:
        """
        The whole body. It can be asked for again.

        :param limit: bytes
        :raises HTTPError: 413, if it has more; 400, if it broke off
        """
        if self._content is None or len(self._content) > limit:
            try:
                content = await collect(self.exchange.body if self._content is None else self._content, limit)
            except BodyTooLarge:
                raise HTTPError(413, f"the request's body has more than {limit} bytes") from None
            except BodyBroken:
                raise HTTPError(400, "the request's body broke off") from None
            # Whoever is below reads it again.
            self._content = self.exchange.body = content
        return self._content

    async def stream(self) -> AsyncIterator[bytes]:
        """
        The body piece by piece, as it comes: `async for piece in request.stream()`, and no quicker than it is read.

        :raises HTTPError: 413, if it is longer than the site allows; 400, if it broke off; 408, if it comes too slowly
        """
        if self._content is not None:
            if self._content:
                yield self._content
            return
        assert not isinstance(self.exchange.body, bytes), "it would have been taken as content"
        reader = Reader(self.exchange.body)
        try:
            while piece := await reader.read():
                yield piece
        except BodyBroken:
            raise _HTTPError(400, "the request's body broke off") from None
        finally:
            reader.close()

    async def json(self, limit: int = MOST_READ) -> Any:
        """
        The body as JSON.

        :raises HTTPError: 400, if it is none; as `body`
        """
        try:
            return jsons.loads(await self.body(limit))
        except (ValueError, RecursionError):
            raise HTTPError(400, "the request's body is no JSON") from None

    async def form(self, limit: int = MOST_READ) -> Values:
        """
        The fields of a form that was sent as `application/x-www-form-urlencoded`.

        :raises HTTPError: 415, if the body is of another type; 400, if it cannot be read; as `body`
        """
        kind = (fields.first(self.exchange.headers, b"content-type") or b"").partition(b";")[0].strip().lower()
        if kind != b"application/x-www-form-urlencoded":
            raise HTTPError(415, "the request's body is no application/x-www-form-urlencoded")
        try:
            return parse_values(await self.body(limit))
        except ValueError as error:
            raise HTTPError(400, f"the form cannot be read: {error}") from None
