"""`tracing` is `trace`: where spans go, the same environment variables say."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call, Option
from edgescript.convert.caddy.context import NotConverted
from edgescript.convert.caddy.tree import Line
from edgescript.convert.edgefile import Directive, Node


def convert(call: Call) -> list[Node]:
    call.several(0)
    block = [Directive(["sample", "100%"]), *call.options(_OPTIONS)]
    return [call.directive("trace", [], block)]


def _span(call: Call, line: Line) -> list[Node]:
    if len(line.arguments) != 1:
        raise NotConverted("it takes one name")
    return [Directive(["span", *call.texts(line.arguments)])]


def _attributes(call: Call, line: Line) -> list[Node]:
    return [Directive(["attribute", *call.texts(one.words)]) for one in line.block or () if len(one.words) == 2]


_OPTIONS: dict[str, Option] = {"span": _span, "span_attributes": _attributes}
