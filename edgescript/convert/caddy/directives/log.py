"""`log`: JSON, a line for each request; Caddy's go to standard error where nothing else is said."""

from __future__ import annotations

from edgescript.convert.caddy.call import Call, Option, missing, never
from edgescript.convert.caddy.context import NotConverted, not_yet
from edgescript.convert.caddy.tree import Line
from edgescript.convert.edgefile import Directive, Node


def convert(call: Call) -> list[Node]:
    block = call.options(_OPTIONS)
    if call.arguments:
        call.context.differs("a log has no name here")
    if not any(isinstance(node, Directive) and node.words[0] == "output" for node in block):
        block.insert(0, Directive(["output", "stderr"]))
    made = call.directive("log", [], block)
    return [made]


def _output(call: Call, line: Line) -> list[Node]:
    words = line.arguments
    if words[:1] not in (["stdout"], ["stderr"], ["discard"], ["file"]):
        raise NotConverted(f"a log cannot go to {' '.join(words)}")
    return [Directive(["output", *call.texts(words)]), *call.options(_FILE, line.block or ())]


def _roll(call: Call, line: Line) -> list[Node]:
    call.context.differs("the file is not rolled over")
    raise not_yet(f"option {line.name} of a log file")


def _format(call: Call, line: Line) -> list[Node]:
    if line.arguments != ["json"] or line.block:
        raise not_yet(f"log format {' '.join(line.arguments)}")
    return [Directive(["format", "json"])]


_FILE: dict[str, Option] = dict.fromkeys((
    "mode", "roll_disabled", "roll_size", "roll_interval", "roll_uncompressed", "roll_local_time", "roll_keep",
    "roll_keep_for",
), _roll)  # fmt: skip
_OPTIONS: dict[str, Option] = {
    "output": _output,
    "format": _format,
    "level": never("every request is logged"),
    "hostnames": missing,
    "no_hostname": missing,
    "sampling": missing,
    "include": missing,
    "exclude": missing,
}
