"""`metrics`: the same, in formats that Prometheus reads."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call, never
from edgescript.convert.edgefile import Node


def convert(call: Call) -> list[Node]:
    call.several(0)
    call.options({"disable_openmetrics": never("OpenMetrics is for clients that ask for it")})
    return [call.directive("metrics")]
