"""The usual line about a request: JSON, with the usual fields.

This file's only responsibility is what the line says, and that it is quickly made: where all texts of a request are plain
ASCII, as nearly always, the line is one formatted string. Credentials never stand in it: neither Authorization nor
cookies, nor the user information of a URL. `lines.py` has every other choice of fields and format.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

from edgescript.http.exchange import Exchange

#: Gives the line of an exchange that has ended, with its newline.
Line = Callable[[Exchange], str]
#: Seconds since 1970.
Wall = Callable[[], float]

#: Whatever JSON must escape, or is no ASCII.
UNUSUAL = re.compile(r"[^ !#-\[\]-~]")
_USER_INFORMATION = re.compile(r"(?<=//)[^/?#]*@")


def line_maker(wall: Wall = time.time) -> Line:
    """What makes the usual line."""
    stamp = stamper(wall)

    def line(exchange: Exchange) -> str:
        agent = referer = b""
        for name, value in exchange.headers:
            if name == b"user-agent":
                agent = value
            elif name == b"referer":
                referer = value
        client_ip = exchange.client_ip
        method = exchange.original_method.decode("latin-1")
        target = exchange.target
        uri = target.decode("utf-8", "replace")
        if not target.startswith(b"/"):
            uri = without_user(uri)
        user_agent = agent.decode("utf-8", "replace")
        from_page = without_user(referer.decode("utf-8", "replace"))
        host = exchange.host
        if UNUSUAL.search(f"{client_ip}{method}{uri}{user_agent}{from_page}{host}") is not None:
            client_ip, method, uri, user_agent, from_page, host = map(
                in_json, (client_ip, method, uri, user_agent, from_page, host)
            )
        response = exchange.response
        return (
            f'{{"ts":"{stamp()}","client_ip":"{client_ip}","method":"{method}","host":"{host}","uri":"{uri}",'
            f'"protocol":"HTTP/{exchange.version}","status":{0 if response is None else response.status},'
            f'"size":{exchange.sent},"duration":{exchange.duration:.6f},"user_agent":"{user_agent}",'
            f'"referer":"{from_page}"{_rarely(exchange)}}}\n'
        )

    return line


def _rarely(exchange: Exchange) -> str:
    """What only some requests have, each with a comma in front."""
    text = ""
    upstream = exchange.upstream
    if upstream is not None:
        text = f',"upstream":"{in_json(str(upstream.address))}","upstream_latency":{upstream.latency or 0:.6f}'
    if exchange.error is not None:
        text += f',"error":"{in_json(exchange.error.reason)}"'
    if exchange.used_request_id is not None:
        text += f',"request_id":"{exchange.used_request_id}"'
    span = exchange.span
    if span is not None:
        text += f',"trace_id":"{span.trace_id}","span_id":"{span.span_id}"'
    if exchange.notes is not None:
        for name, note in exchange.notes.items():
            text += f',"{name}":"{in_json(note.shown(exchange))}"'
    return text


def without_user(url: str) -> str:
    return _USER_INFORMATION.sub("", url) if "@" in url else url


def in_json(text: str) -> str:
    """A text as it stands between the quotes of JSON."""
    if UNUSUAL.search(text) is None:
        return text
    return json.dumps(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))[1:-1]


def stamper(wall: Wall) -> Callable[[], str]:
    """RFC 3339 in UTC with milliseconds; what changes once in a second is made once in a second."""
    second = -1
    prefix = ""

    def stamp() -> str:
        nonlocal second, prefix
        now = wall()
        whole = int(now)
        if whole != second:
            second = whole
            prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
        return f"{prefix}.{int((now - whole) * 1000):03d}Z"

    return stamp
