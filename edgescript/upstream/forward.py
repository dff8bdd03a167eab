"""One attempt: an exchange is sent to one endpoint, and its response comes back.

This is the hot path of a proxied request: the head is one list of pairs, one join, one write, and where a connection is idle
the only wait is for the response.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from edgescript.http.edit import Edit
from edgescript.http.exchange import Exchange
from edgescript.http.headers import Headers
from edgescript.http.message import HTTPError, Response
from edgescript.http.pending import Pending
from edgescript.http.span import Span
from edgescript.upstream import hygiene
from edgescript.upstream.endpoint import Endpoint
from edgescript.upstream.failure import Stage, UpstreamError
from edgescript.upstream.pool import Pool
from edgescript.upstream.upload import Upload

if TYPE_CHECKING:
    from edgescript.upstream.connection import Connection

#: Methods whose requests say their length even if it is 0 (RFC 9110 8.6).
_WITH_CONTENT = frozenset({b"POST", b"PUT", b"PATCH"})
_VIA_UP = {version: (b"via", b"%b %b" % (version.encode(), hygiene.PSEUDONYM)) for version in ("1.0", "1.1", "2", "3")}
_VIA_DOWN = (b"via", b"1.1 " + hygiene.PSEUDONYM)
_CHUNKED = (b"transfer-encoding", b"chunked")
_EXPECT = (b"expect", b"100-continue")
_TE = (b"te", b"trailers")
_SLASH = b"/"[0]
_field = b": ".join
#: What would end a request line, or split it.
_BREAKS_LINE = re.compile(rb"[\x00-\x20\x7f]")
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different about the request and response behind us."""

    header_up: Edit | None = None
    header_down: Edit | None = None
    #: The method, and the path with its query, in place of the client's.
    method: Callable[[Exchange], str] | None = None
    uri: Callable[[Exchange], bytes] | None = None
    #: Say who the client is in Forwarded (RFC 7239) too.
    forwarded: bool = False
    #: Add ourselves to Via, both ways.
    via: bool = True


class Attempt:
    """One endpoint that was tried: what `{upstream.address}` and `{upstream.latency}` tell about."""

    __slots__ = ("address", "begun", "latency", "method", "span", "upgrading", "upload")

    def __init__(self, address: str, method: bytes) -> None:
        self.address = address
        #: As it is sent.
        self.method = method
        #: Seconds from the request being sent to the response's head.
        self.latency = 0.0
        #: When it was sent, in seconds of the monotonic clock.
        self.begun = 0.0
        #: It asks for another protocol.
        self.upgrading = False
        self.upload: Upload | None = None
        #: Where the request is traced.
        self.span: Span | None = None

    def trace(self, outer: Span, endpoint: Endpoint) -> None:
        """Give the attempt a span of its own."""
        self.span = outer
        if outer.sampled:
            span = self.span = outer.child("proxy", client=True)
            span.set("http.request.method", self.method.decode("latin-1"))
            span.set("server.address", endpoint.path or endpoint.host)
            if endpoint.path is None:
                span.set("server.port", endpoint.port)


def send(
    exchange: Exchange, pool: Pool, connection: Connection, changes: Changes, attempt: Attempt
) -> Pending[Response]:
    """Send an exchange over a connection; an UpstreamError from the awaited value says that no response came."""
    if changes.method is not None:
        attempt.method = _method(changes.method(exchange))
    try:
        head = _request(exchange, pool, changes, attempt)
    except BaseException:
        pool.release(connection)
        raise
    attempt.begun = time.monotonic()
    return connection.send(head, attempt.method == b"HEAD", exchange.client, attempt.upload)


def receive(
    exchange: Exchange, connection: Connection, changes: Changes, attempt: Attempt, response: Response
) -> Response:
    """
    The response as the client shall see it.

    :raises UpstreamError: if the upstream changes the protocol unasked
    """
    attempt.latency = time.monotonic() - attempt.begun
    if attempt.span is not None and attempt.span.sampled:
        attempt.span.set("http.response.status_code", response.status)
        attempt.span.end()
    if response.status == 101:
        if not attempt.upgrading:
            connection.abort()
            raise UpstreamError("it changed the protocol unasked", Stage.ANSWERED)
        from edgescript.upstream.tunnel import open_tunnel  # it is a protocol of asyncio; see `pool`

        response.upgrade = partial(open_tunnel, connection)
    if changes.via:
        response.headers.append(_VIA_DOWN)
    if changes.header_down is not None:
        changes.header_down(response.headers, exchange)
    return response


def target(exchange: Exchange, changes: Changes) -> bytes:
    """
    The request target for the upstream.

    :raises HTTPError: 400, if a rewritten one cannot be sent
    """
    uri = exchange.uri if changes.uri is None else changes.uri(exchange)
    if _BREAKS_LINE.search(uri) is not None:
        raise HTTPError(400, "the rewritten request target has a space or a control character")
    return uri


def _request(exchange: Exchange, pool: Pool, changes: Changes, attempt: Attempt) -> bytes:
    """The request's head, with its body if that is at hand."""
    client = exchange.client
    passing, special = hygiene.split_request(exchange.headers)
    asked = _asked_host(exchange, special)
    # A server that is reached by https is one that does not expect our names (as in Caddy since 2.11).
    host = asked if asked and pool.endpoint.tls is None else pool.authority
    if len(special) > 1:
        passing = _without_named(passing, special)
    headers = [(b"host", host), *passing]
    origin = hygiene.origin_fields(client.remote_ip, client.scheme, asked)
    headers += origin if client.trust is None else hygiene.vouched_for(origin, special)
    if changes.forwarded:
        chain = [] if client.trust is None else hygiene.values(special, b"forwarded")
        headers.append((b"forwarded", hygiene.forwarded_field(chain, client.remote_ip, client.scheme, asked)))
    if changes.via:
        headers.append(_VIA_UP[exchange.version])
    if len(special) > 1:
        attempt.upgrading = _add_special(exchange, headers, special)
    if attempt.span is not None:
        attempt.span.inject(headers)
    if changes.header_up is not None:
        changes.header_up(headers, exchange)
    content = b""
    if exchange.body or attempt.method in _WITH_CONTENT:
        content = _add_framing(exchange, headers, special, attempt)
    lines = b"\r\n".join(map(_field, headers))
    uri = target(exchange, changes)
    return b"".join((attempt.method, b" ", uri, b" HTTP/1.1\r\n", lines, b"\r\n\r\n", content))


def _asked_host(exchange: Exchange, special: Headers) -> bytes:
    """The host that the client asked for: an absolute target's comes before the Host field (RFC 9112 3.2.2)."""
    if exchange.target[0] != _SLASH and exchange.target != b"*":
        return exchange.target.partition(b"://")[2].partition(b"/")[0].partition(b"?")[0]
    for name, value in special:
        if name == b"host":
            return value
    return b""


def _add_special(exchange: Exchange, headers: Headers, special: Headers) -> bool:
    """What fields between neighbours ask of the next one; and whether that is another protocol."""
    if hygiene.wants_trailers(special):
        headers.append(_TE)
    protocol = hygiene.upgrade_protocol(special)
    # RFC 9110 7.8: ignored in HTTP/1.0.
    if protocol is None or not exchange.client.can_upgrade or exchange.body or exchange.version == "1.0":
        return False
    headers.append((b"upgrade", protocol))
    headers.append((b"connection", b"upgrade"))
    return True


def _without_named(headers: Headers, special: Headers) -> Headers:
    for value in hygiene.values(special, b"connection"):
        headers = hygiene.without_named(headers, value)
    return headers


def _add_framing(exchange: Exchange, headers: Headers, special: Headers, attempt: Attempt) -> bytes:
    """The fields that say how long the body is; gives the body if it is at hand, and else makes its `Upload`."""
    body = exchange.body
    if isinstance(body, bytes):
        headers.append((b"content-length", b"%d" % len(body)))
        return body
    length = body.length
    headers.append(_CHUNKED if length is None else (b"content-length", b"%d" % length))
    expects = exchange.version != "1.0" and hygiene.expects_continue(special)
    if expects:
        headers.append(_EXPECT)
    attempt.upload = Upload(body, exchange.body_limit, awaits_continue=expects)
    return b""


def _method(text: str) -> bytes:
    method = text.upper().encode("utf-8", "surrogateescape")
    if _TOKEN.fullmatch(method) is None:
        raise HTTPError(500, f"{text!r} is no method")
    return method
