"""The files that are imported, to be opened where their names stand."""

from __future__ import annotations

from lsprotocol import types

from edgescript.language.imports import is_import
from edgescript.lsp.document import View
from edgescript.lsp.features.definition import imported_uris

METHOD = types.TEXT_DOCUMENT_DOCUMENT_LINK
OPTIONS = types.DocumentLinkOptions()


def answer(view: View, params: types.DocumentLinkParams) -> list[types.DocumentLink]:
    return [
        types.DocumentLink(view.document.positions.range(line.words[1].start, line.words[1].end), target)
        for top in view.document.tree.lines
        for line in top.walk()
        # A pattern stands for several files; to look for them whenever links are drawn takes too long.
        if is_import(line) and len(line.words) > 1 and "*" not in line.words[1].value
        for target in imported_uris(view, line)
        if line.words[1].value not in view.defined_snippets
    ]
