"""`route`: its block runs in the order written."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call
from edgescript.convert.caddy.context import NotConverted
from edgescript.convert.edgefile import Node


def convert(call: Call) -> list[Node]:
    if call.line.block is None:
        raise NotConverted("it has no block")
    call.several(0)
    handles = [line.name in ("handle", "handle_path") for line in call.line.block if line.words]
    if "TFT" in "".join("T" if one else "F" for one in _squeezed(handles)):
        call.context.differs("blocks of handle exclude each other here only where nothing stands between them")
    return [call.directive("route", [], call.segment(call.line.block, False))]


def _squeezed(values: list[bool]) -> list[bool]:
    return [value for number, value in enumerate(values) if not number or value != values[number - 1]]
