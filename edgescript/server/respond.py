"""Writing a response: the head in one piece with a small body, and whatever the body is behind it.

A head is checked as a whole before it is written: as many line ends as there are fields, no NUL, and none of the fields that
frame the message but our own. So nothing that a step or an upstream put into a field can begin a second field or response.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from edgescript.http import splice
from edgescript.http.body import Body, FileRange, discard
from edgescript.http.headers import Headers, first
from edgescript.http.message import REASONS, HTTPError, Response, plain_error
from edgescript.server.write import BodyWriter, FileWriter, SpliceWriter

if TYPE_CHECKING:
    from edgescript.http.exchange import Exchange
    from edgescript.server.http1 import Connection

log = logging.getLogger("edgescript.server")

_STATUS_LINES = {status: f"HTTP/1.1 {status} {phrase}".encode() for status, phrase in REASONS.items()}
_FRAMING = frozenset((b"connection", b"content-length", b"transfer-encoding"))
#: Fields that are looked at before they are written.
_OURS = _FRAMING | {b"date", b"server"}

#: Statuses that never have a body (RFC 9110 6.4.1).
_BODILESS = frozenset((204, 304))

#: Bodies up to this size are copied behind their head and written with it.
_COPIED = 64 * 1024

#: Files up to this size are read at once: one system call less than sendfile, and one write with the head.
_READ_AT_ONCE = 32 * 1024

_SERVER = b"server: edge\r\n"

_field = b": ".join
_lines = b"\r\n".join


def respond(connection: Connection, exchange: Exchange, response: Response) -> None:
    """Write a response; calls the connection's `finished` when it is whole, now or later."""
    body = response.body
    if (
        not isinstance(body, bytes)
        or response.status < 200
        or response.status in _BODILESS
        or exchange.original_method == b"HEAD"
    ):
        _respond_otherwise(connection, exchange, response)
        return
    if response.close:
        connection.persistent = False
    try:
        head = _head(connection, exchange, response, b"content-length: %d\r\n" % len(body))
    except ValueError as error:
        _respond_to_bad_head(connection, exchange, error)
        return
    size = len(body)
    transport = connection.transport
    if size <= _COPIED:
        data = head + body
        transport.write(data)
        connection.handed += len(data)
    else:
        transport.writelines((head, body))
        connection.handed += len(head) + size
    connection.finished(exchange, size)


def _head(connection: Connection, exchange: Exchange, response: Response, framing: bytes) -> bytes:
    """
    The head of a response, with the empty line.

    :param framing: the line that says how the body ends, or nothing
    :raises ValueError: if a field holds what would end it early
    """
    headers = response.headers
    count = len(headers)
    head = _lines([_STATUS_LINES.get(response.status) or b"HTTP/1.1 %d " % response.status, *map(_field, headers)])
    if head.count(b"\n") != count or head.count(b"\r") != count or b"\0" in head:
        raise ValueError("a field of the response has a line end or a NUL in it")
    # Response changes have seen Server, and may have taken it away.
    has_server, has_date = exchange.changes is not None, False
    for name, _ in headers:
        if name in _OURS:
            if name == b"server":
                has_server = True
            elif name == b"date":
                has_date = True
            else:
                return _head(connection, exchange, _without_framing(response), framing)
    lane = connection.lane
    stamp = (b"" if has_date else lane.date_field) if has_server else _SERVER if has_date else lane.stamp
    if not connection.persistent:
        return b"%b\r\n%b%bconnection: close\r\n\r\n" % (head, framing, stamp)
    if exchange.version == "1.0":
        return b"%b\r\n%b%bconnection: keep-alive\r\n\r\n" % (head, framing, stamp)
    return b"%b\r\n%b%b\r\n" % (head, framing, stamp)


def _without_framing(response: Response) -> Response:
    kept = [pair for pair in response.headers if pair[0] not in _FRAMING]
    return Response(response.status, kept, b"")


def _respond_otherwise(connection: Connection, exchange: Exchange, response: Response) -> None:
    """Whatever is not a body of bytes behind a final head."""
    exchange.answered = connection.lane.clock()
    if response.close:
        connection.persistent = False
    try:
        if response.status < 200:
            _upgrade(connection, exchange, response)
        elif exchange.original_method == b"HEAD" or response.status in _BODILESS:
            _respond_bodiless(connection, exchange, response)
        elif isinstance(response.body, FileRange):
            _respond_file(connection, exchange, response, response.body)
        else:
            assert not isinstance(response.body, bytes)
            _respond_stream(connection, exchange, response, response.body)
    except ValueError as error:
        discard(response.body)
        _respond_to_bad_head(connection, exchange, error)


def _respond_to_bad_head(connection: Connection, exchange: Exchange, error: ValueError) -> None:
    log.error("the response to %s cannot be sent: %s", exchange.asked, error)
    response = exchange.response = plain_error(HTTPError(500))
    respond(connection, exchange, response)


def _upgrade(connection: Connection, exchange: Exchange, response: Response) -> None:
    if response.status != 101 or response.upgrade is None:
        raise ValueError(f"{response.status} is no final status")
    connection.persistent = True
    connection.transport.write(_head(connection, exchange, response, b"connection: upgrade\r\n"))
    connection.upgraded(exchange, response.upgrade)


def _respond_bodiless(connection: Connection, exchange: Exchange, response: Response) -> None:
    head = _head(connection, exchange, response, _said_length(response))
    discard(response.body)
    connection.handed += len(head)
    connection.transport.write(head)
    connection.finished(exchange, 0)


def _said_length(response: Response) -> bytes:
    """The content-length of a response without a body (RFC 9110 8.6): what GET would have had, and none with 204."""
    body = response.body
    said = first(response.headers, b"content-length")
    if response.status == 204:
        return b""
    if said is not None and said.isdigit():
        return b"content-length: %b\r\n" % said
    if response.status == 304:
        return b""
    length = len(body) if isinstance(body, bytes) else body.length
    return b"" if length is None else b"content-length: %d\r\n" % length


def _respond_file(connection: Connection, exchange: Exchange, response: Response, part: FileRange) -> None:
    head = _head(connection, exchange, response, b"content-length: %d\r\n" % part.length)
    if part.length <= _READ_AT_ONCE:
        data = _read(part)
        if data is not None:
            connection.handed += len(head) + len(data)
            connection.transport.write(head + data)
            connection.finished(exchange, len(data))
            return
    writer = FileWriter(connection, exchange, part, head)
    connection.writer = writer
    writer.start()


def _read(part: FileRange) -> bytes | None:
    """All of a short part of a file, which is closed then; None if it cannot be had in one go."""
    try:
        data = os.pread(part.descriptor, part.length, part.offset)
    except OSError:
        return None
    if len(data) != part.length:
        return None
    os.close(part.descriptor)
    return data


def _respond_stream(connection: Connection, exchange: Exchange, response: Response, body: Body) -> None:
    length = body.length
    if length is not None:
        head = _head(connection, exchange, response, b"content-length: %d\r\n" % length)
        if length >= splice.WORTH and _spliced(connection, exchange, body, head, length):
            return
    elif exchange.version == "1.0":
        connection.persistent = False  # the end of the connection is the end of the body
        connection.ends_body = True
        head = _head(connection, exchange, response, b"")
    else:
        head = _head(connection, exchange, response, b"transfer-encoding: chunked\r\n")
    writer = BodyWriter(connection, exchange, body, head, chunked=length is None and exchange.version != "1.0")
    connection.writer = writer
    writer.start()


def _spliced(connection: Connection, exchange: Exchange, body: Body, head: bytes, length: int) -> bool:
    """Send the body from socket to socket, if both ends are plain sockets."""
    client = connection.plain_descriptor() if splice.AVAILABLE else None
    detached = body.detach() if client is not None else None
    if client is None or detached is None:
        return False
    writer = SpliceWriter(connection, exchange, body, length)
    connection.writer = writer
    writer.start(head, client, *detached)
    return True


def refusal(status: int, stamp: bytes) -> bytes:
    """The whole answer to something that is no request."""
    response = plain_error(HTTPError(status))
    assert isinstance(response.body, bytes)
    fields = [_STATUS_LINES[status], *map(_field, response.headers), b"content-length: %d" % len(response.body)]
    return b"%b\r\n%bconnection: close\r\n\r\n%b" % (_lines(fields), stamp, response.body)


def interim(status: int, headers: Headers) -> bytes:
    """
    The head of an interim response.

    :raises ValueError: if a field holds what would end it early
    """
    head = _lines([_STATUS_LINES.get(status) or b"HTTP/1.1 %d " % status, *map(_field, headers)])
    if head.count(b"\n") != len(headers) or head.count(b"\r") != len(headers) or b"\0" in head:
        raise ValueError("a field of the response has a line end or a NUL in it")
    return head + b"\r\n\r\n"
