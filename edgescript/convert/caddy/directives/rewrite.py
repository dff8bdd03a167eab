"""`rewrite`, always with a matcher: a path alone would be taken for one."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call
from edgescript.convert.caddy.context import NotConverted
from edgescript.convert.edgefile import Node


def convert(call: Call) -> list[Node]:
    call.several(1)
    if not call.arguments:
        if call.matcher is None or not call.matcher.startswith("/"):
            raise NotConverted("it does not say what to")
        made = call.directive("rewrite")
        made.words = ["rewrite", "*", call.text(call.matcher)]
        return [made]
    made = call.directive("rewrite")
    made.words = ["rewrite", call.matcher or "*", call.text(call.arguments[0])]
    return [made]
