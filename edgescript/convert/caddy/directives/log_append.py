"""`log_append`: values are read when the line is written, so that `<`, which asks for an early one, is left out."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call
from edgescript.convert.edgefile import Node


def convert(call: Call) -> list[Node]:
    name, *values = call.arguments or [""]
    if name.startswith("<"):
        call.context.differs("the value is read when the line is written")
    return [call.directive("log_append", [name.lstrip("<"), *call.texts(values)])]
