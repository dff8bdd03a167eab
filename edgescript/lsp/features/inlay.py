"""The defaults that hold where a line leaves something out: of its arguments, and of the options of its block.

`initializationOptions.inlayHints` is `"some"` (arguments and the first options; so it is without it), `"arguments"`, `"all"` or
`"off"`, for which `false` stands too.
"""

from __future__ import annotations

from lsprotocol import types

from edgescript.declare.plan import Slot
from edgescript.language.tree import Line
from edgescript.lsp import context
from edgescript.lsp.document import View

METHOD = types.TEXT_DOCUMENT_INLAY_HINT
OPTIONS = types.InlayHintOptions()

#: Options that are shown, by the setting; the most important ones are declared first.
_MOST = {"all": 99, "arguments": 0}
_USUALLY = 3


def answer(view: View, params: types.InlayHintParams) -> list[types.InlayHint]:
    setting = view.options.get("inlayHints")
    if setting in (False, "off"):
        return []
    most = _MOST.get(setting, _USUALLY) if isinstance(setting, str) else _USUALLY
    positions = view.document.positions
    start, end = positions.offset(params.range.start), positions.offset(params.range.end)
    found = []
    for line, place, _ in context.walk(view.document.tree.lines, context.top_of(view), view.catalogue):
        if start <= line.words[-1].end <= end:
            found += _hints(view, line, place, most)
    return found


def _hints(view: View, line: Line, place: context.Place, most: int) -> list[types.InlayHint]:
    plan, _ = context.named(line, len(line.words), place, view.catalogue)
    if plan is None:
        return []
    given = len(line.words) - context.first_argument(line, len(line.words), place, view.catalogue)
    written = {inner.words[0].value for inner in line.block or () if inner.words}
    arguments = [slot for slot in plan.args[max(given, 0) :] if slot.name not in written and _default(slot)]
    options = [slot for slot in plan.options if line.block is not None and slot.name not in written and _default(slot)]
    found = [_hint(view, line.words[-1].end, arguments)] if arguments else []
    if options[:most]:
        found.append(_hint(view, _behind_brace(line), options[:most]))
    return found


def _hint(view: View, offset: int, slots: list[Slot]) -> types.InlayHint:
    label = ", ".join(f"{slot.name} {_default(slot)}" for slot in slots)
    docs = "\n".join(f"- `{slot.name} {_default(slot)}`: {slot.field.doc}" for slot in slots)
    told = types.MarkupContent(types.MarkupKind.Markdown, f"What holds as nothing else is said:\n\n{docs}")
    position = view.document.positions.position(offset)
    return types.InlayHint(position, label, padding_left=True, tooltip=told)


def _default(slot: Slot) -> str | None:
    default = slot.field.default
    return default if isinstance(default, str) and default else None


def _behind_brace(line: Line) -> int:
    """Where the line that opens a block ends, before its comment."""
    end = line.comment.start if line.comment is not None else line.header_end
    return line.words[-1].end + len(line.origin.source.text[line.words[-1].end : end].rstrip())
