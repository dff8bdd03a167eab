"""`request_body`."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call, Option, missing, never, same
from edgescript.convert.edgefile import Node

_OPTIONS: dict[str, Option] = {
    "max_size": same("max_size"),
    "set": missing,
    "read_timeout": never("a body may take as long as it makes progress: see the global `timeouts`"),
    "write_timeout": never("a body may take as long as it makes progress: see the global `timeouts`"),
}


def convert(call: Call) -> list[Node]:
    block = call.options(_OPTIONS)
    return [call.directive("request_body", [], block)]
