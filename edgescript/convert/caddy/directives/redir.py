"""`redir`."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call
from edgescript.convert.caddy.context import NotConverted
from edgescript.convert.edgefile import Node


def convert(call: Call) -> list[Node]:
    call.several(2)
    words = call.texts(call.arguments)
    if not words:
        raise NotConverted("it does not say where to: with one path alone, that is its matcher")
    return [call.directive("redir", words)]
