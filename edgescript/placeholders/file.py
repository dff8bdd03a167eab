"""The last segment of the path."""

from __future__ import annotations

import posixpath

from edgescript.declare.entries import Placeholder
from edgescript.http.exchange import Exchange


def _file(exchange: Exchange) -> str:
    return exchange.path.rpartition("/")[2]


PLACEHOLDER = Placeholder(
    "file",
    "The path behind its last slash: `b.html` of `/a/b.html`; `{file.base}` is `b` then, and `{file.ext}` is `.html`.",
    read=_file,
    members={
        "base": lambda exchange: posixpath.splitext(_file(exchange))[0],
        "ext": lambda exchange: posixpath.splitext(_file(exchange))[1],
    },
)
