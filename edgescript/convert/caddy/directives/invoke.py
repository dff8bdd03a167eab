"""`invoke` runs a named route: its directives stand here instead."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call
from edgescript.convert.caddy.context import NotConverted
from edgescript.convert.edgefile import Node


def convert(call: Call) -> list[Node]:
    name = call.arguments[0] if len(call.arguments) == 1 else ""
    context = call.context
    if name not in context.routes:
        raise NotConverted(f'there is no named route "{name}"')
    if name in context.invoked:
        raise NotConverted(f"it runs itself: {' > '.join([*context.invoked, name])}")
    context.invoked.append(name)
    try:
        inside = call.segment(context.routes[name], True)
    finally:
        context.invoked.pop()
    return [call.directive("route", [], inside)]
