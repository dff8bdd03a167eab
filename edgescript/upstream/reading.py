"""What the bytes of a response mean: llhttp's callbacks, and what is refused beyond what llhttp refuses.

llhttp refuses folded lines, bare line ends, control characters and contradicting lengths. Whatever is raised in a callback
ends the parser, and with it the connection.
"""

from __future__ import annotations

from enum import IntEnum

import httptools

from edgescript.http.headers import Headers, elements
from edgescript.upstream import hygiene
from edgescript.upstream.limits import INTERIM_RESPONSES


class State(IntEnum):
    HEAD = 0  # the response's head is awaited, interim responses included
    BODY = 1  # its head is there
    WHOLE = 2  # all of it is there; also of a connection that is idle


class Malformed(Exception):
    """The response is against the protocol in a way that llhttp lets pass."""


class _Bodiless(Exception):
    """Stops the parser behind the head of a response to HEAD: it cannot be told that no body follows."""


class _Surplus(Exception):
    """Stops the parser at bytes behind the response."""


class Reading:
    """The response that is being read."""

    __slots__ = (
        "chunked",
        "chunks",
        "head_only",
        "headers",
        "interims",
        "keep",
        "length",
        "parser",
        "state",
        "status",
        "trailers",
        "wire",
    )

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.state = State.WHOLE
        #: It answers HEAD.
        self.head_only = False
        #: The connection may be used for another exchange afterwards.
        self.keep = False
        self.status = 0
        #: How many interim responses came before it.
        self.interims = 0
        self.headers: Headers = []
        #: The fields that end here (RFC 9110 7.6.1).
        self.wire: Headers = []
        #: How its body is framed; neither: the end of the connection ends it.
        self.length: int | None = None
        self.chunked = False
        #: What came of its body, until somebody takes it.
        self.chunks: list[bytes] = []
        self.trailers: Headers = []

    def expect(self, *, head_only: bool) -> None:
        """The next response is awaited."""
        self.state = State.HEAD
        self.head_only = head_only
        self.chunked = False
        self.interims = 0
        self.chunks = []
        if self.trailers:
            self.trailers = []

    def received_interim(self) -> None:
        """An interim response has come: `status` and `headers` are its own."""
        raise NotImplementedError

    # ---- the parser's callbacks

    def on_message_begin(self) -> None:
        if self.state is not State.HEAD:
            self.keep = False
            raise _Surplus
        self.headers = []
        self.wire = []
        self.length = None

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if self.state is not State.HEAD:
            if name not in hygiene.NOT_AS_TRAILERS:
                self.trailers.append((name, value))
        elif name in hygiene.ENDS_HERE:
            self.wire.append((name, value))
        else:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self.status = self.parser.get_status_code()
        if status < 200 and status != 101:
            if status < 100:
                raise Malformed(f"the status is {status}")
            return
        self.keep = self.parser.should_keep_alive()
        if not self.keep:
            self._check_version()
        if self.wire:
            self._read_wire(status)
        if self.head_only:
            self.state = State.WHOLE
            raise _Bodiless
        self.state = State.BODY

    def _check_version(self) -> None:
        version = self.parser.get_http_version()
        if version not in ("1.0", "1.1"):
            raise Malformed(f"the version is {version}")
        if self.head_only and version == "1.1":
            # llhttp expects a body of unknown length here, and HEAD has none.
            self.keep = b"close" not in map(bytes.lower, elements(hygiene.values(self.wire, b"connection")))

    def _read_wire(self, status: int) -> None:
        for name, value in self.wire:
            if name == b"content-length":
                self.length = int(value)
                if self.head_only or status == 304:
                    # They say what GET would have had (RFC 9110 8.6).
                    self.headers.append((name, value))
            elif name == b"transfer-encoding":
                # Nothing but chunked was asked for; other codings, and HTTP/1.0, have no safe reading (RFC 9112 6.1, 6.3).
                if self.chunked or value.strip().lower() != b"chunked" or self.parser.get_http_version() == "1.0":
                    raise Malformed("its transfer coding is not chunked")
                self.chunked = True
            elif name == b"connection":
                self.headers = hygiene.without_named(self.headers, value)
            elif name == b"upgrade" and status == 101:
                self.headers.append((name, value))

    def on_body(self, data: bytes) -> None:
        self.chunks.append(data)

    def on_message_complete(self) -> None:
        if self.state is State.HEAD:
            self.interims += 1
            if self.interims > INTERIM_RESPONSES:
                raise Malformed("too many interim responses")
            self.received_interim()
        else:
            self.state = State.WHOLE
