"""`edge fmt`, in the editor. A file with mistakes in its structure is left alone."""

from __future__ import annotations

from lsprotocol import types

from edgescript.language.format import format_tree
from edgescript.lsp.document import View
from edgescript.text.problem import Severity

METHOD = types.TEXT_DOCUMENT_FORMATTING
OPTIONS = types.DocumentFormattingOptions()


def answer(view: View, params: types.DocumentFormattingParams) -> list[types.TextEdit]:
    document = view.document
    tree, problems = document.parsed
    if any(problem.severity is Severity.ERROR for problem in problems):
        return []
    formatted = format_tree(tree)
    whole = document.positions.range(0, len(document.text))
    return [] if formatted == document.text else [types.TextEdit(whole, formatted)]
