"""The fixes of problems, one by one, and all safe ones at once."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types

from edgescript.lsp.document import View
from edgescript.lsp.features.definition import source_uri
from edgescript.text.problem import Edit, Fix, Problem, Severity

METHOD = types.TEXT_DOCUMENT_CODE_ACTION
OPTIONS = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix, types.CodeActionKind.SourceFixAll])


def answer(view: View, params: types.CodeActionParams) -> list[types.CodeAction]:
    positions = view.document.positions
    start, end = positions.offset(params.range.start), positions.offset(params.range.end)
    own = [p for p in view.problems if p.span is not None and p.span.source.name == view.document.path]
    near = [p for p in own if p.span is not None and p.span.start <= end and start <= p.span.end]
    found = [_fixed(view, p.fix) for p in near if p.fix is not None]
    found += [action for p in near if (action := _allowed(view, p)) is not None]
    edits = _apart([edit for p in own if p.fix is not None and p.fix.safe for edit in p.fix.edits])
    if edits:
        kind = types.CodeActionKind.SourceFixAll
        found.append(types.CodeAction("fix all that is safe to fix", kind, edit=_edit(view, edits)))
    only = params.context.only
    return [a for a in found if not only or any(_kind(a).startswith(_text(k)) for k in only)]


def _fixed(view: View, fix: Fix) -> types.CodeAction:
    kind = types.CodeActionKind.QuickFix
    return types.CodeAction(fix.title, kind, is_preferred=fix.safe, edit=_edit(view, fix.edits))


def _allowed(view: View, problem: Problem) -> types.CodeAction | None:
    """A comment behind the line that says that this warning is known; not where there is a comment."""
    if problem.severity is not Severity.WARNING or problem.span is None:
        return None
    text, span = view.document.text, problem.span
    found = text.find("\n", span.end)
    end = len(text) if found < 0 else found
    end -= text[end - 1 : end] == "\r"
    if "#" in text[span.end : end]:
        return None
    edit = Edit(span._replace(start=end, end=end), f" # edge: allow {problem.code}")
    title = f"allow {problem.code} here"
    return types.CodeAction(title, types.CodeActionKind.QuickFix, edit=_edit(view, [edit]))


def _apart(edits: Sequence[Edit]) -> list[Edit]:
    """Those that do not touch the same text as an earlier one."""
    found: list[Edit] = []
    for edit in sorted(set(edits), key=lambda edit: (edit.span.source.name, edit.span.start)):
        last = found[-1].span if found else None
        if last is None or last.source.name != edit.span.source.name or last.end <= edit.span.start:
            found.append(edit)
    return found


def _edit(view: View, edits: Sequence[Edit]) -> types.WorkspaceEdit:
    changes: dict[str, list[types.TextEdit]] = {}
    for span, text in edits:
        where = view.positions(span.source).range(span.start, span.end)
        changes.setdefault(source_uri(view, span.source.name), []).append(types.TextEdit(where, text))
    return types.WorkspaceEdit(changes=changes)


def _kind(action: types.CodeAction) -> str:
    return _text(action.kind or "")


def _text(kind: types.CodeActionKind | str) -> str:
    return str(getattr(kind, "value", kind))
