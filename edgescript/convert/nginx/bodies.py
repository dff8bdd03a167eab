"""Bodies of responses: `gzip` is `encode gzip`, `sub_filter` is `replace`."""

from __future__ import annotations

import re

from edgescript.convert.edgefile import Node
from edgescript.convert.nginx.context import Context
from edgescript.convert.nginx.lines import Line, inherited, setting
from edgescript.convert.nginx.values import size
from edgescript.convert.nginx.variables import VARIABLE, UnknownVariable
from edgescript.convert.report import Outcome

#: Settings of `gzip` that need no counterpart, and why.
_NOT_NEEDED = {
    "gzip_vary": "Vary is always said",
    "gzip_proxied": "it makes no difference whether the client came through a proxy",
    "gzip_http_version": "what the client takes says Accept-Encoding",
    "gzip_disable": "what the client takes says Accept-Encoding",
    "gzip_buffers": "bodies are passed on as they come; there are no buffers to size",
}
GZIP = ("gzip", "gzip_types", "gzip_min_length", "gzip_comp_level", *_NOT_NEEDED)
SUB_FILTER = ("sub_filter", "sub_filter_once", "sub_filter_types", "sub_filter_last_modified")
READ = frozenset((*GZIP, *SUB_FILTER))


def gzip(ctx: Context, block: Line) -> list[Node]:
    """`gzip` with its settings, as it counts in a block."""
    found = {name: line for name in GZIP if (line := setting(block, name)) is not None}
    for name, line in found.items():
        if name in _NOT_NEEDED:
            ctx.notes.say(line, Outcome.CONVERTED, f"not needed: {_NOT_NEEDED[name]}")
        else:
            ctx.notes.done(line)
    switch = found.get("gzip")
    if switch is None or switch.value != "on":
        return []
    options: list[Node] = []
    options += _level(ctx, found.get("gzip_comp_level"))
    options += _least(ctx, found.get("gzip_min_length"))
    options += _types(ctx, found.get("gzip_types"))
    return ctx.commented(switch, [ctx.directive(switch, "encode", "gzip", block=options)])


def _level(ctx: Context, line: Line | None) -> list[Node]:
    if line is None:
        return [ctx.directive(None, "level", "gzip", "1")]
    if not re.fullmatch("[1-9]", line.value):
        return ctx.refuse(line, "gzip has levels from 1 to 9")
    return ctx.commented(line, [ctx.directive(line, "level", "gzip", line.value)])


def _least(ctx: Context, line: Line | None) -> list[Node]:
    if line is None:
        return [ctx.directive(None, "minimum_length", "20")]
    least = size(line.value)
    if least is None:
        return ctx.refuse(line, "this is no size")
    return ctx.commented(line, [ctx.directive(line, "minimum_length", least)])


def _types(ctx: Context, line: Line | None) -> list[Node]:
    """What nginx says of types adds to HTML, which always is one of them."""
    if line is None:
        return [ctx.directive(None, "types", "text/html")]
    types = ["*"] if "*" in line.args else list(dict.fromkeys(["text/html", *line.args]))
    return ctx.commented(line, [ctx.directive(line, "types", *types)])


def sub_filter(ctx: Context, block: Line) -> list[Node]:
    """`sub_filter` with its settings, as it counts in a block."""
    once, types = setting(block, "sub_filter_once"), setting(block, "sub_filter_types")
    dates = setting(block, "sub_filter_last_modified")
    for line in (once, types, dates):
        if line is not None:
            ctx.notes.done(line)
    lines = inherited(block, "sub_filter")
    rows = [node for line in lines for node in _substitution(ctx, line)]
    if not rows:
        return []
    options: list[Node] = []
    if once is None or once.value == "on":
        options.append(ctx.directive(once, "once"))
    options += _types(ctx, types)
    return [ctx.directive(lines[0], "replace", block=[*options, *rows])]


def _substitution(ctx: Context, line: Line) -> list[Node]:
    if len(line.args) != 2:
        return ctx.refuse(line, "sub_filter takes a text and its replacement")
    find, replacement = line.args
    if VARIABLE.search(find):
        return ctx.refuse(line, "the text to find cannot have variables")
    try:
        replacement = ctx.names.template(replacement)
    except UnknownVariable as error:
        return ctx.refuse(line, str(error))
    ctx.notes.done(line)
    # nginx does not look at the case of letters.
    if find.upper() != find.lower() or find.startswith("~"):
        find, replacement = f"~(?i){re.escape(find)}", replacement.replace("$", "$$")
    return ctx.commented(line, [ctx.directive(line, find, replacement)])
