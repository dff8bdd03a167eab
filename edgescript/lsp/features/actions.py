"""The fixes of problems, one by one, and all safe ones at once; and comments that allow a warning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lsprotocol import types

from edgescript.language.tree import Line
from edgescript.lsp.document import View
from edgescript.lsp.features.definition import source_uri
from edgescript.text.mend import compatible
from edgescript.text.problem import Edit, Problem, Severity

METHOD = types.TEXT_DOCUMENT_CODE_ACTION
Kind = types.CodeActionKind
#: What is wrong with the comments that allow.
_OF_COMMENTS = "W300"
OPTIONS = types.CodeActionOptions(code_action_kinds=[Kind.QuickFix, Kind.SourceFixAll])


def answer(view: View, params: types.CodeActionParams) -> list[types.CodeAction]:
    only = params.context.only
    return [a for a in _actions(view, params) if not only or any(_is_of(a, kind) for kind in only)]


def _actions(view: View, params: types.CodeActionParams) -> Iterator[types.CodeAction]:
    positions = view.document.positions
    start, end = positions.offset(params.range.start), positions.offset(params.range.end)
    own = [p for p in view.problems if p.span is not None and view.is_own(p.span.source)]
    near = [p for p in own if p.span is not None and p.span.start <= end and start <= p.span.end]
    for problem in near:
        if problem.fix is not None:
            yield _quick_fix(view, params, problem, problem.fix.title, problem.fix.edits, safe=problem.fix.safe)
    for problem in near:
        can_be_allowed = problem.severity is Severity.WARNING and problem.code != _OF_COMMENTS
        edit = _allowing(view, problem) if can_be_allowed else None
        if edit is not None:
            yield _quick_fix(view, params, problem, f"allow {problem.code} here", [edit], safe=False)
    safe = compatible(problem for problem in own if problem.fix is not None and problem.fix.safe)
    edits = [edit for problem in safe if problem.fix is not None for edit in problem.fix.edits]
    if edits:
        yield types.CodeAction("fix all safe problems", Kind.SourceFixAll, edit=_edit(view, edits))


def _quick_fix(
    view: View, params: types.CodeActionParams, problem: Problem, title: str, edits: Sequence[Edit], *, safe: bool
) -> types.CodeAction:
    assert problem.span is not None
    where = view.document.positions.range(problem.span.start, problem.span.end)
    mended = [each for each in params.context.diagnostics if each.code == problem.code and each.range == where]
    return types.CodeAction(title, Kind.QuickFix, mended, is_preferred=safe or None, edit=_edit(view, edits))


def _allowing(view: View, problem: Problem) -> Edit | None:
    """A comment for the line of a warning: behind it, or above it where there is a comment already."""
    assert problem.span is not None
    lines, text = view.document.tree.lines, view.document.text
    line = _line_at(lines, problem.span.start)
    if line is None or not line.words:
        return None
    comment = f"# edge: allow {problem.code}"
    line_end = _line_end(text[: line.header_end])
    end = line.header_end - len(line_end)
    if line.comment is None and "\n" not in text[line.words[0].start : end]:
        return Edit(problem.span._replace(start=end, end=end), f"{'' if text[end - 1].isspace() else ' '}{comment}")
    if not text[: line.start].strip():
        return None  # as the first thing of a file it would hold for all of it
    indent = text[line.start : line.words[0].start]
    return Edit(problem.span._replace(start=line.start, end=line.start), f"{indent}{comment}{line_end}")


def _line_end(text: str) -> str:
    return next((end for end in ("\r\n", "\n") if text.endswith(end)), "")


def _line_at(lines: list[Line], offset: int) -> Line | None:
    """The innermost line that an offset is in."""
    line = next((line for line in lines if line.start <= offset < line.end), None)
    return None if line is None else _line_at(line.block or [], offset) or line


def _edit(view: View, edits: Sequence[Edit]) -> types.WorkspaceEdit:
    changes: dict[str, list[types.TextEdit]] = {}
    for span, text in edits:
        where = view.positions(span.source).range(span.start, span.end)
        changes.setdefault(source_uri(view, span.source.name), []).append(types.TextEdit(where, text))
    return types.WorkspaceEdit(changes=changes)


def _is_of(action: types.CodeAction, kind: types.CodeActionKind | str) -> bool:
    """Whether an action is of a kind that was asked for: `source` includes `source.fixAll`."""
    asked = kind.value if isinstance(kind, Kind) else kind
    return f"{Kind(action.kind).value}.".startswith(f"{asked}.") or not asked
