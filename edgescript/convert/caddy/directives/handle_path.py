"""`handle_path`: takes its path away, and sorts its block as a site is sorted."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call
from edgescript.convert.caddy.context import NotConverted
from edgescript.convert.edgefile import Directive, Node


def convert(call: Call) -> list[Node]:
    block = call.line.block
    if block is None or len(call.arguments) != 1 or not call.arguments[0].startswith("/"):
        raise NotConverted("it needs one path and a block")
    path = call.text(call.arguments[0])
    inside = call.segment(block, True)
    if path.endswith("*"):
        made = call.directive("handle_path", [], inside)
        made.words = ["handle_path", path]
        return [made]
    made = call.directive("handle", [], [Directive(["uri", "strip_prefix", path]), *inside])
    made.words = ["handle", path]
    return [made]
