"""The arguments of the line that is being written, and which one is next."""

from __future__ import annotations

from lsprotocol import types

from edgescript.declare.describe import syntax
from edgescript.declare.plan import Plan, Slot
from edgescript.declare.problems import usage
from edgescript.lsp import context
from edgescript.lsp.context import Cursor
from edgescript.lsp.document import View

METHOD = types.TEXT_DOCUMENT_SIGNATURE_HELP
OPTIONS = types.SignatureHelpOptions(trigger_characters=[" "])

_MATCHER = types.ParameterInformation("<matcher>", "Which requests: `*`, a path such as `/api/*`, or a named matcher.")


def answer(view: View, params: types.SignatureHelpParams) -> types.SignatureHelp | None:
    at = context.cursor(view, view.document.positions.offset(params.position))
    if at.line is None or at.index == 0:
        return None
    plan, name = context.named(at.line, at.index, at.place, view.catalogue)
    slot = context.slot_of(at.line, at.place)
    if plan is not None and at.index > name:
        return _of_plan(view, at, plan, at.line.words[name].value)
    return _of_option(at, slot) if slot is not None and slot.kinds else None


def _of_plan(view: View, at: Cursor, plan: Plan, name: str) -> types.SignatureHelp:
    assert at.line is not None
    slots = [*plan.args, *([plan.rest] if plan.rest else [])]
    shown = [types.ParameterInformation(f"<{slot.name}>", slot.field.doc) for slot in slots]
    number = at.index - context.first_argument(at.line, at.index, at.place, view.catalogue)
    if context.takes_matcher(plan):
        shown.insert(0, _MATCHER)
        number += 1
    # All further words belong to the last, which takes as many as there are.
    active = min(number, len(shown) - 1) if plan.rest else number
    doc = (plan.entry.__doc__ or "").strip().partition("\n")[0]
    return _help(usage(plan, name), doc, shown, active)


def _of_option(at: Cursor, slot: Slot) -> types.SignatureHelp:
    label = syntax(slot)
    parts = zip(label.split()[1:], slot.kinds, strict=False)
    shown = [types.ParameterInformation(part, kind.expected) for part, kind in parts]
    return _help(label, slot.field.doc, shown, min(at.index, len(slot.kinds)) - 1)


def _help(label: str, doc: str, shown: list[types.ParameterInformation], active: int) -> types.SignatureHelp:
    signature = types.SignatureInformation(label, doc, shown)
    # A number that no parameter has lets none be shown as active.
    return types.SignatureHelp([signature], 0, active if 0 <= active < len(shown) else len(shown))
