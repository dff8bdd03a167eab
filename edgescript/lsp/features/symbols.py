"""The sites, snippets, tests and blocks of a document."""

from __future__ import annotations

from lsprotocol import types

from edgescript.language.tree import Line
from edgescript.lsp.document import View, snippet_name

METHOD = types.TEXT_DOCUMENT_DOCUMENT_SYMBOL
OPTIONS = types.DocumentSymbolOptions()


def answer(view: View, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    return _symbols(view, view.document.tree.lines, top=True)


def _symbols(view: View, lines: list[Line], *, top: bool) -> list[types.DocumentSymbol]:
    return [_symbol(view, line, top) for line in lines if line.block is not None or _is_matcher(line)]


def _symbol(view: View, line: Line, top: bool) -> types.DocumentSymbol:
    positions = view.document.positions
    start = line.words[0].start if line.words else line.start
    end = line.words[-1].end if line.words else line.start
    name = " ".join(" ".join(word.value.split()) for word in line.words)[:100].strip() or "global block"
    return types.DocumentSymbol(
        name=name,
        kind=_kind(line, top),
        range=positions.range(start, max(line.end, end)),
        selection_range=positions.range(start, end),
        children=_symbols(view, line.block or [], top=False),
    )


def _is_matcher(line: Line) -> bool:
    return bool(line.words) and line.words[0].value.startswith("@")


def _kind(line: Line, top: bool) -> types.SymbolKind:
    if _is_matcher(line):
        return types.SymbolKind.Variable
    if snippet_name(line):
        return types.SymbolKind.Module
    if top and line.words and line.words[0].value == "test":
        return types.SymbolKind.Method
    return types.SymbolKind.Namespace if top else types.SymbolKind.Object
