"""`root`, always with a matcher: a path alone might be taken for one."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call
from edgescript.convert.caddy.context import NotConverted
from edgescript.convert.edgefile import Node


def convert(call: Call) -> list[Node]:
    call.several(1)
    path = call.arguments[0] if call.arguments else call.matcher
    if path is None:
        raise NotConverted("it does not say which folder")
    made = call.directive("root")
    made.words = ["root", (call.matcher if call.arguments else None) or "*", call.text(path)]
    return [made]
