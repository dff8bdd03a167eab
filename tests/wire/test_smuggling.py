"""What could be read as one request here and as another one behind: refused with 400 and closed, never answered twice."""

from __future__ import annotations

from typing import Any

import pytest

from edgescript.http.body import collect
from edgescript.http.exchange import Exchange
from edgescript.http.message import Response

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
SECOND = b"GET /second HTTP/1.1\r\nHost: a\r\n\r\n"

#: name: (bytes, status of the one answer)
REFUSED: dict[str, tuple[bytes, int]] = {
    # framing
    "both lengths": (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "both lengths, the other way round": (
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        400,
    ),
    "differing lengths": (POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400),
    "repeated lengths": (POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400),
    "lengths in a list": (POST + b"Content-Length: 5, 5\r\n\r\nhello", 400),
    "a length with a sign": (POST + b"Content-Length: +5\r\n\r\nhello", 400),
    "a negative length": (POST + b"Content-Length: -5\r\n\r\nhello", 400),
    "a length in hexadecimal": (POST + b"Content-Length: 0x5\r\n\r\nhello", 400),
    "a length with an underscore": (POST + b"Content-Length: 1_0\r\n\r\nhellohello", 400),
    "a length with a space": (POST + b"Content-Length: 5 5\r\n\r\nhello", 400),
    "an empty length": (POST + b"Content-Length:\r\n\r\n", 400),
    "a length in other digits": (POST + "Content-Length: ٥\r\n\r\nhello".encode(), 400),
    "a length beyond 64 bits": (POST + b"Content-Length: 18446744073709551621\r\n\r\nhello", 400),
    "a length with a fraction": (POST + b"Content-Length: 5.0\r\n\r\nhello", 400),
    "chunked not last": (POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400),
    "chunked twice": (POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked twice in two fields": (
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "chunked and identity": (POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
    "identity": (POST + b"Transfer-Encoding: identity\r\n\r\n", 400),
    "an empty coding": (POST + b"Transfer-Encoding:\r\n\r\n", 400),
    "xchunked": (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
    "chunked with a parameter": (POST + b"Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", 400),
    "chunked in quotes": (POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n', 400),
    "gzip, chunked": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "chunked with HTTP/1.0": (b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "a vertical tab before chunked": (POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
    # targets
    "a target without a host": (b"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a target with nothing but a query": (b"GET http://?x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "an asterisk without OPTIONS": (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    # chunks
    "a chunk size with a sign": (POST + b"Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n", 400),
    "a chunk size with 0x": (POST + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", 400),
    "a chunk size with an underscore": (POST + b"Transfer-Encoding: chunked\r\n\r\n1_0\r\n", 400),
    "a chunk size that overflows": (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\n", 400),
    "a chunk size of zeros without end": (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 40 + b"\r\n\r\n", 400),
    "no chunk size": (POST + b"Transfer-Encoding: chunked\r\n\r\n\r\nhello\r\n", 400),
    "a space behind a chunk size": (POST + b"Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n", 400),
    "a space before a chunk size": (POST + b"Transfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n", 400),
    "LF behind a chunk size": (POST + b"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", 400),
    "CR alone in an extension": (POST + b"Transfer-Encoding: chunked\r\n\r\n5;a\rb\r\nhello\r\n0\r\n\r\n", 400),
    "LF alone in an extension": (POST + b"Transfer-Encoding: chunked\r\n\r\n5;a\nb\r\nhello\r\n0\r\n\r\n", 400),
    "LF behind a chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n", 400),
    "a chunk that is too long": (POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n", 400),
    "a trailer without colon": (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nnonsense\r\n\r\n", 400),
    "a trailer with a space before the colon": (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nA : b\r\n\r\n", 400),
    "LF behind a trailer": (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\na: b\n\r\n", 400),
    "LF as the last line": (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\n", 400),
    # fields
    "a folded field": (GET + b"X: a\r\n b\r\n\r\n", 400),
    "a folded field with a tab": (GET + b"X: a\r\n\tb\r\n\r\n", 400),
    "a folded first field": (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    "a folded length": (POST + b"Content-Length:\r\n 5\r\n\r\nhello", 400),
    "a space before the colon": (GET + b"X : a\r\n\r\n", 400),
    "a tab before the colon": (GET + b"X\t: a\r\n\r\n", 400),
    "a space before the colon of a length": (POST + b"Content-Length : 5\r\n\r\nhello", 400),
    "a space before the name": (b"GET / HTTP/1.1\r\n X: a\r\nHost: a\r\n\r\n", 400),
    "a field without colon": (GET + b"nonsense\r\n\r\n", 400),
    "a field without name": (GET + b": a\r\n\r\n", 400),
    "a name with a bracket": (GET + b"X[]: a\r\n\r\n", 400),
    "a name with a control character": (GET + b"X\x01: a\r\n\r\n", 400),
    "a name with a letter of another alphabet": (GET + "Ä: a\r\n\r\n".encode(), 400),
    "NUL in a value": (GET + b"X: a\0b\r\n\r\n", 400),
    "CR alone in a value": (GET + b"X: a\rb\r\n\r\n", 400),
    "LF alone in a value": (GET + b"X: a\nY: b\r\n\r\n", 400),
    "CR CR LF": (GET + b"X: a\r\r\nY: b\r\n\r\n", 400),
    "an escape character in a value": (GET + b"X: a\x1bb\r\n\r\n", 400),
    "DEL in a value": (GET + b"X: a\x7fb\r\n\r\n", 400),
    "a vertical tab in a value": (GET + b"X: a\x0bb\r\n\r\n", 400),
    "lines that end in LF": (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    "a last line that ends in LF": (GET + b"\n", 400),
    "lines that end in CR": (b"GET / HTTP/1.1\rHost: a\r\r", 400),
    # Host
    "no Host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    "the same Host twice": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
    "two Hosts in a list": (b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
    "a Host with a path": (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    "a Host with user information": (b"GET / HTTP/1.1\r\nHost: b@a\r\n\r\n", 400),
    "a Host with a space": (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    "a Host with a bad port": (b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400),
    "two Hosts with HTTP/1.0": (b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    # the request line
    "HTTP/0.9": (b"GET /\r\n\r\n", 400),
    "HTTP/0.9 with LF": (b"GET /\n", 400),
    "a version that is not": (b"GET / HTTP/1.x\r\nHost: a\r\n\r\n", 400),
    "another protocol": (b"GET / HTTQ/1.1\r\nHost: a\r\n\r\n", 400),
    "a lower-case version": (b"GET / http/1.1\r\nHost: a\r\n\r\n", 400),
    "a version without minor": (b"GET / HTTP/1\r\nHost: a\r\n\r\n", 400),
    "a version with two digits": (b"GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400),
    "HTTP/0.1": (b"GET / HTTP/0.1\r\nHost: a\r\n\r\n", 400),
    "two spaces behind the method": (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "two spaces behind the target": (b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "tabs in the request line": (b"GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a space in the target": (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a space behind the version": (b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
    "a space before the method": (b" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a method with a bracket": (b"GE(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a method with a control character": (b"GE\x01T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "no target": (b"GET HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "NUL in the target": (b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a control character in the target": (b"GET /\x07 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a fragment in the target": (b"GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a target without slash": (b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a target of another scheme": (b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "an escaped NUL in the target": (b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "half an escape in the target": (b"GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "HTTP/2 prior knowledge": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "HTTP/2.0": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    "HTTP/3.0": (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
    "CONNECT": (b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501),
    "the first bytes of TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "binary": (bytes(range(256)), 400),
}

#: h11, which is hypercorn's parser, answers 501 to any coding but `chunked` alone.
STATUS_ON_HYPERCORN = dict.fromkeys(
    (
        "chunked not last",
        "chunked twice",
        "chunked twice in two fields",
        "chunked and identity",
        "identity",
        "an empty coding",
        "xchunked",
        "chunked with a parameter",
        "chunked in quotes",
    ),
    501,
)

#: What h11 takes. None of it reaches a step in another form than the one that h11 framed the message by.
TAKEN_BY_HYPERCORN = {
    "repeated lengths": "h11 takes equal lengths for one, as RFC 9112 6.3 allows",
    "lengths in a list": "h11 takes equal lengths for one, as RFC 9112 6.3 allows",
    "a length beyond 64 bits": "h11 counts without bounds, and waits for the body",
    "a chunk size that overflows": "h11 reads up to 20 digits, and waits for the chunk",
    "a space behind a chunk size": "h11 drops it",
    "CR alone in an extension": "h11 reads over extensions",
    "LF behind a trailer": "h11 takes LF for the end of a line",
    "LF as the last line": "h11 takes LF for the end of a line",
    "a folded field": "h11 unfolds it into one value",
    "a folded field with a tab": "h11 unfolds it into one value",
    "a folded length": "h11 unfolds it into one value",
    "LF alone in a value": "h11 takes LF for the end of a line",
    "an escape character in a value": "h11 refuses only NUL, CR and LF in values",
    "DEL in a value": "h11 refuses only NUL, CR and LF in values",
    "lines that end in LF": "h11 takes LF for the end of a line",
    "a last line that ends in LF": "h11 takes LF for the end of a line",
    "HTTP/2 prior knowledge": "hypercorn speaks HTTP/2",
    "HTTP/2.0": "hypercorn waits for the rest of an HTTP/2 preface",
}


@pytest.fixture(scope="module")
def servers_by_engine(module_servers: Any, make_graph: Any) -> dict[str, Any]:
    async def echo(exchange: Exchange) -> Response:
        body = await collect(exchange.body, 1_000_000)
        return Response(200, [(b"x-target", exchange.target)], body)

    return {engine: module_servers.start(make_graph(echo), engine=engine) for engine in ("fast", "hypercorn")}


CASES = [("fast", name) for name in REFUSED] + [
    ("hypercorn", name) for name in REFUSED if name not in TAKEN_BY_HYPERCORN
]


@pytest.mark.parametrize(("engine", "name"), CASES)
def test_a_request_that_could_be_read_twice_is_refused_and_the_connection_closed(
    servers_by_engine: dict[str, Any], engine: str, name: str
) -> None:
    server = servers_by_engine[engine]
    data, status = REFUSED[name]
    if engine == "hypercorn":
        status = STATUS_ON_HYPERCORN.get(name, status)
    answer = server.exchange(data + SECOND)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    assert b"\r\nconnection: close\r\n" in answer.lower()
    assert server.exchange(GET + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 200 ")
