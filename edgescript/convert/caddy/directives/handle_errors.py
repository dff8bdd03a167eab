"""`handle_errors`: statuses are the same, the block is sorted as a site is."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call
from edgescript.convert.caddy.context import NotConverted
from edgescript.convert.edgefile import Node


def convert(call: Call) -> list[Node]:
    if call.line.block is None:
        raise NotConverted("it has no block")
    return [call.directive("handle_errors", call.arguments, call.segment(call.line.block, True))]
