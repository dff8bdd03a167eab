"""Whatever a client says, a step neither fails nor lets it write a header field of its own."""

from __future__ import annotations

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgescript.catalog import Catalogue
from edgescript.graph.load import load
from edgescript.http.exchange import Exchange
from edgescript.http.message import HTTPError, Response
from edgescript.http.target import decode
from edgescript.observe.access import line_maker
from edgescript.server.serve import serve
from edgescript.text.source import Source

SITE = """
:80 {
    vars {
        q {query.q}
        c {cookie.c}
    }
    map {header.X} {m} {
        ~(.*)/(.*) ${2}/${1}
        default    {query}
    }
    header X-Path {path}
    header +X-All "{uri} {header.X} {cookie.c} {query.q} {labels.0} {re.1} {resp.header.X-Path} {err.message}"
    header X-Path (.) <$1{query.q}>
    request_header Y {header.X}
    request_header Y . {path}
    route /method {
        method {query.q}
    }
    route /rewrite/* {
        rewrite /a{path}/{query.q}/{header.X}?{query}&x={vars.m}
    }
    route /uri* {
        uri strip_prefix /uri
        uri strip_suffix {query.q}
        uri replace {query.q} {header.X}
        uri path_regexp (.) $1{query.q}
        uri query {
            q>p
            * (.) {header.X}$1
            +z {query.p}
            -a
        }
    }
    handle_path /strip/* {
        redir {uri} {query.code}
    }
    redir /redir* {query.q}{header.X}{uri} 302
    redir /page* {query.q} html
    error /error* {query.code} {query.q}
    respond {query.code} "{uri} {path} {vars.q} {vars.c} {vars.m} {header.Y}"
    handle_errors 4xx {
        respond {err.status} "{err.message}"
    }
}
"""


class Client:
    remote_ip = "192.0.2.1"
    remote_port = 1
    scheme = "http"
    trust = None


PIECES = st.sampled_from(
    [
        "/", "/rewrite/", "/uri", "/strip/", "/redir", "/page", "/error", "/method", "..", "%2e%2e", "%0d%0a", "%00", "%",
        "%ff", "?", "q=", "&", "code=404", "code=302", "=", "+", "//", "\\", "a", "<b>", '"', "{path}", "$1", "\x7f",
        "javascript:",
    ]
)  # fmt: skip
TARGETS = st.lists(PIECES, max_size=12).map(lambda pieces: ("/" + "".join(pieces)).encode())


@pytest.fixture(scope="module")
def listener():
    graph, problems = load(Source("Edgefile", SITE), catalogue=Catalogue.load(), environment={}, directory="/nowhere")
    assert graph is not None, problems
    return graph.listeners[0]


@given(TARGETS, st.binary(max_size=12), st.binary(max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
def test_any_request_gets_a_sound_answer(listener, caplog, target, field, cookie):
    caplog.clear()
    headers = [(b"host", b"example.com"), (b"x", field), (b"cookie", b"c=" + cookie)]
    try:
        exchange = Exchange(Client(), b"GET", target, "1.1", headers, b"", 0.0)
    except HTTPError:  # the engine answers it
        return
    response = serve(exchange, listener)
    assert isinstance(response, Response)
    assert 200 <= response.status < 600
    assert not [byte for _, value in response.headers for byte in value if byte in b"\r\n\0"]
    assert not [byte for byte in exchange.uri if not 0x21 <= byte < 0x7F and byte not in target]
    assert exchange.path == decode(exchange.raw_path)
    assert line_maker()(exchange).isascii()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
