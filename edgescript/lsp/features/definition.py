"""Where a snippet or named matcher is defined; of an import of a file, the file."""

from __future__ import annotations

import os

from lsprotocol import types

from edgescript.language.files import find_files, standard_file, standard_names
from edgescript.language.imports import is_import
from edgescript.language.tree import Line
from edgescript.lsp.context import cursor
from edgescript.lsp.document import View, uri_of
from edgescript.lsp.names import Place, binding_at

METHOD = types.TEXT_DOCUMENT_DEFINITION
OPTIONS = types.DefinitionOptions()


def answer(view: View, params: types.DefinitionParams) -> list[types.Location]:
    offset = view.document.positions.offset(params.position)
    binding = binding_at(view, offset)
    return [location(view, place) for place in binding.definitions] if binding else _file(view, offset)


def location(view: View, place: Place) -> types.Location:
    span = place.span
    return types.Location(source_uri(view, span.source.name), view.positions(span.source).range(span.start, span.end))


def source_uri(view: View, name: str) -> str:
    """The URI of a source; of the standard library, where it is installed."""
    if os.path.normpath(name) == view.document.path:
        return view.document.uri
    stem = name.removeprefix("std/").removesuffix(".edge")
    return uri_of(str(standard_file(stem))) if name.startswith("std/") and stem in standard_names() else uri_of(name)


def _file(view: View, offset: int) -> list[types.Location]:
    at = cursor(view, offset)
    if at.line is None or at.index != 1 or at.word is None or not is_import(at.line):
        return []
    start = types.Position(0, 0)
    return [types.Location(uri, types.Range(start, start)) for uri in imported_uris(view, at.line)]


def imported_uris(view: View, line: Line) -> list[str]:
    """The files that an `import` line brings, as they are called by an editor."""
    name = line.words[1].value if len(line.words) > 1 else ""
    if name.startswith("std/"):
        known = name.removeprefix("std/") in standard_names()
        return [source_uri(view, f"{name}.edge")] if known else []
    path = os.path.normpath(os.path.join(os.path.dirname(view.document.path), name))
    return [uri_of(each) for each in (find_files(path) if "*" in name else [path]) if os.path.isfile(each)]
