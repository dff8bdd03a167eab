"""The arguments of the line that is being written, and which one is next."""

from __future__ import annotations

from lsprotocol import types

from edgescript.declare.problems import usage
from edgescript.lsp import context
from edgescript.lsp.document import View

METHOD = types.TEXT_DOCUMENT_SIGNATURE_HELP
OPTIONS = types.SignatureHelpOptions(trigger_characters=[" "])


def answer(view: View, params: types.SignatureHelpParams) -> types.SignatureHelp | None:
    at = context.cursor(view, view.document.positions.offset(params.position))
    plan = context.plan_of_line(at.line, at.place, view.catalogue) if at.line is not None else None
    if at.line is None or at.index == 0 or plan is None:
        return None
    label = usage(plan, at.line.words[0].value)
    slots = [*plan.args, *([plan.rest] if plan.rest else [])]
    shown = [types.ParameterInformation(slot.name, slot.field.doc) for slot in slots]
    number = at.index - context.first_argument(at.line, at.place, view.catalogue)
    active = min(number, len(slots) - 1) if slots and number >= 0 else None
    return types.SignatureHelp([types.SignatureInformation(label, parameters=shown)], 0, active)
