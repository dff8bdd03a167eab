"""What each word is, for colours that a grammar of patterns cannot know."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from edgescript.language.tree import Line
from edgescript.lsp import context
from edgescript.lsp.context import Block, Place
from edgescript.lsp.document import View, snippet_name
from edgescript.lsp.positions import units

METHOD = types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL
_TYPES = ["keyword", "property", "namespace", "variable", "macro", "string"]
OPTIONS = types.SemanticTokensLegend(_TYPES, [])


def answer(view: View, params: types.SemanticTokensParams) -> types.SemanticTokens:
    positions = view.document.positions
    data: list[int] = []
    above = types.Position(0, 0)
    for start, end, kind in _words(view):
        for first, last in positions.pieces(start, end):
            at = positions.position(first)
            before = above.character if at.line == above.line else 0
            length = units(view.document.text[first:last], view.document.encoding)
            data += [at.line - above.line, at.character - before, length, _TYPES.index(kind), 0]
            above = at
    return types.SemanticTokens(data)


def _words(view: View) -> Iterator[tuple[int, int, str]]:
    for line, place, _ in context.walk(view.document.tree.lines, context.top_of(view), view.catalogue):
        for number, word in enumerate(line.words):
            kind = _kind(line, number, place)
            if kind and word.start < word.end:
                yield word.start, word.end, kind


def _kind(line: Line, number: int, place: Place) -> str | None:
    word = line.words[number]
    if word.quote:
        return "string"
    if word.value.startswith("@"):
        return "variable"
    if snippet_name(line) or (line.words[0].value == "import" and number == 1):
        return "macro"
    if line.words[0].value in ("import", "test") and number == 0:
        return "keyword"
    if place.block is Block.TOP:
        return "namespace"
    if line.words[0].value.startswith("@") and number == 1:
        return "keyword"
    return None if number else "property" if place.block is Block.OPTIONS else "keyword"
