"""`handle`: its block is sorted as a site is."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call
from edgescript.convert.caddy.context import NotConverted
from edgescript.convert.edgefile import Node


def convert(call: Call) -> list[Node]:
    if call.line.block is None:
        raise NotConverted("it has no block")
    call.several(0)
    return [call.directive(call.name, [], call.segment(call.line.block, True))]
