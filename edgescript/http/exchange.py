"""One request and its response in flight: what every step works on."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Protocol

from edgescript.http import target as targets
from edgescript.http.body import Body
from edgescript.http.headers import Headers
from edgescript.http.message import HTTPError, Response
from edgescript.http.span import Span
from edgescript.http.trust import Trust

Change = Callable[["Exchange", Response], None]
Ending = Callable[["Exchange"], None]


class Tally(Protocol):
    """What counts the requests of one route."""

    def count(self, exchange: Exchange) -> None:
        """An exchange is over."""


class Client(Protocol):
    """The connection that an exchange came in on, as far as a step may use it."""

    remote_ip: str
    remote_port: int
    local_ip: str
    local_port: int
    scheme: str
    #: Set when the peer is a trusted proxy; None: nobody is believed.
    trust: Trust | None
    #: Whether a 101 response can carry a tunnel (`Response.upgrade`).
    can_upgrade: bool

    def inform(self, status: int, headers: Headers) -> None:
        """Send an interim (1xx) response now, where the engine and the client's version allow it; otherwise nothing."""


class Note(Protocol):
    """A value that the lines of logs about a request have too (`log_append`)."""

    def shown(self, exchange: Exchange) -> str:
        """The value without credentials."""

    def clear(self, exchange: Exchange) -> str:
        """The value as it is, for whoever makes a hash of it."""


class Exchange:
    """
    One request, what has been decided about it, and its response.

    Method, target and headers are bytes as received. `path` is the decoded, dot-normalised path that rules and files see;
    `raw_path` and `query` are what an upstream is sent. Rewriters change the three together, with `set_uri`.

    :raises HTTPError: 400, if target or Host are malformed, or an HTTP/1.1 request has not exactly one Host
    """

    __slots__ = (
        "_client_ip",
        "_request_id",
        "answered",
        "body",
        "body_limit",
        "captures",
        "changes",
        "client",
        "duration",
        "endings",
        "error",
        "headers",
        "host",
        "intercepted",
        "method",
        "notes",
        "original_method",
        "path",
        "port",
        "query",
        "raw_path",
        "response",
        "root",
        "sent",
        "span",
        "started",
        "tally",
        "target",
        "upstream",
        "variables",
        "version",
    )

    def __init__(
        self,
        client: Client,
        method: bytes,
        target: bytes,
        version: str,
        headers: Headers,
        body: bytes | Body,
        started: float,
    ) -> None:
        self.client = client
        self.method = self.original_method = method
        #: The request target as received; rewriters leave it alone.
        self.target = target
        #: "1.0", "1.1", "2" or "3".
        self.version = version
        self.headers = headers
        self.body = body
        #: When the request's head was complete, in seconds of the monotonic clock.
        self.started = started

        try:
            authority, self.raw_path, self.query = targets.split(target, method)
            self.path = targets.decode(self.raw_path)
            hosts = [value for name, value in headers if name == b"host"]
            if len(hosts) != 1 and (hosts or version == "1.1"):
                raise ValueError("the request has no Host" if not hosts else "the request has more than one Host")
            self.host, self.port = targets.host_and_port(authority or (hosts[0] if hosts else b""))
        except ValueError as error:
            raise HTTPError(400, str(error)) from None

        #: Most bytes of body that a reader may take, or None for no limit.
        self.body_limit: int | None = None
        self._client_ip: str | None = None
        self._request_id: str | None = None
        #: Values of `vars` and `map`, and captures of regular expressions by `NAME.GROUP`.
        self.variables: dict[str, Any] | None = None
        self.captures: dict[str, str] | None = None
        #: The directory that `files` and `try_files` look in.
        self.root: str | None = None
        #: While `handle_errors` runs: what it answers.
        self.error: HTTPError | None = None
        #: While the block of an `intercept` runs: the response that it looks at.
        self.intercepted: Response | None = None
        #: Set once there is one, before response changes run.
        self.response: Response | None = None
        #: What `proxy` chose: anything with `address` (text) and `latency` (seconds to the response's head).
        self.upstream: Any = None
        #: The request's place in a trace, where it is traced.
        self.span: Span | None = None
        #: What the lines of logs about it have beside the usual, by name.
        self.notes: dict[str, Note] | None = None
        #: Where its way through the program ended, for the metrics; None where it is not counted.
        self.tally: Tally | None = None
        self.changes: list[Change] | None = None
        self.endings: list[Ending] | None = None
        #: Set by the engine at the end: bytes of response body sent, and seconds since `started`.
        self.sent = 0
        self.duration = 0.0
        #: When the response's head was written, where that is not also its end: seconds of the monotonic clock, or 0.
        self.answered = 0.0

    def set_uri(self, raw_path: bytes, query: bytes | None) -> None:
        """
        Change what is asked for, for every step below.

        :raises HTTPError: 400, if the path has a malformed escape or a NUL
        """
        try:
            self.path = targets.decode(raw_path)
        except ValueError as error:
            raise HTTPError(400, str(error)) from None
        self.raw_path = raw_path
        self.query = query

    @property
    def uri(self) -> bytes:
        """Path and query as they are sent to an upstream."""
        return self.raw_path if self.query is None else self.raw_path + b"?" + self.query

    @property
    def asked(self) -> str:
        """What was asked for, as the program's own log says it: without the query, which may hold secrets."""
        path = targets.split(self.target, self.original_method)[1]
        return f"{self.original_method.decode('latin-1')} {path.decode('utf-8', 'replace')}"

    @property
    def client_ip(self) -> str:
        """The client's address: the peer's, or what a trusted proxy says it is."""
        ip = self._client_ip
        if ip is None:
            trust = self.client.trust
            remote_ip = self.client.remote_ip
            ip = self._client_ip = remote_ip if trust is None else trust.client_ip(remote_ip, self.headers)
        return ip

    @property
    def request_id(self) -> str:
        """A random name for this request, made when first asked for."""
        if self._request_id is None:
            self._request_id = str(uuid.uuid4())
        return self._request_id

    @property
    def used_request_id(self) -> str | None:
        """The request's name if anything has asked for one."""
        return self._request_id

    def on_response(self, change: Change) -> None:
        """Have `change(exchange, response)` called before the response's head is written; the last registered runs first."""
        if self.changes is None:
            self.changes = [change]
        else:
            self.changes.append(change)

    def on_end(self, ending: Ending) -> None:
        """Have `ending(exchange)` called when the response has been handed to the connection, or has failed for good."""
        if self.endings is None:
            self.endings = [ending]
        else:
            self.endings.append(ending)
