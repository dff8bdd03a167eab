"""The defaults of arguments that a line leaves out. `initializationOptions: {"inlayHints": false}` turns them off."""

from __future__ import annotations

from lsprotocol import types

from edgescript.declare.fields import REQUIRED
from edgescript.language.tree import Line
from edgescript.lsp import context
from edgescript.lsp.document import View

METHOD = types.TEXT_DOCUMENT_INLAY_HINT
OPTIONS = types.InlayHintOptions()


def answer(view: View, params: types.InlayHintParams) -> list[types.InlayHint]:
    if view.options.get("inlayHints") is False:
        return []
    positions = view.document.positions
    start, end = positions.offset(params.range.start), positions.offset(params.range.end)
    found = []
    for line, place, _ in context.walk(view.document.tree.lines, context.top_of(view), view.catalogue):
        if start <= line.words[-1].end <= end and (text := _left_out(view, line, place)):
            found.append(types.InlayHint(positions.position(line.words[-1].end), text, padding_left=True))
    return found


def _left_out(view: View, line: Line, place: context.Place) -> str:
    plan = context.plan_of_line(line, place, view.catalogue)
    if plan is None:
        return ""
    given = len(line.words) - context.first_argument(line, place, view.catalogue)
    named = {inner.words[0].value for inner in line.block or () if inner.words}
    slots = [slot for slot in plan.args[max(given, 0) :] if slot.name not in named]
    defaults = ((slot.name, slot.field.default) for slot in slots)
    return " ".join(f"{name}: {default}" for name, default in defaults if default and default is not REQUIRED)
