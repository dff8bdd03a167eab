"""`try_files`."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call, same
from edgescript.convert.edgefile import Node


def convert(call: Call) -> list[Node]:
    block = call.options({"policy": same("policy")})
    made = call.directive("try_files", [], block or None)
    made.words += call.texts(call.arguments)
    return [made]
