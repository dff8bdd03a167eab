"""Another name for a snippet or named matcher, wherever it is written."""

from __future__ import annotations

import re

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from edgescript.lsp.document import View
from edgescript.lsp.features.definition import location
from edgescript.lsp.names import Binding, binding_at, bindings

METHOD = types.TEXT_DOCUMENT_RENAME
OPTIONS = types.RenameOptions(prepare_provider=True)

_MATCHER, _SNIPPET = re.compile(r"@[\w.-]+"), re.compile(r"[\w.-]+")


def answer(view: View, params: types.RenameParams) -> types.WorkspaceEdit | None:
    """
    :raises JsonRpcInvalidParams: if the new name is none, or taken
    """
    binding = binding_at(view, view.document.positions.offset(params.position))
    if binding is None:
        return None
    matcher = binding.name.startswith("@")
    name = f"@{params.new_name.removeprefix('@')}" if matcher else params.new_name
    if not (_MATCHER if matcher else _SNIPPET).fullmatch(name):
        raise JsonRpcInvalidParams("a name has letters, digits, and . _ - only")
    if any(other.name == name and name != binding.name for other in bindings(view)):
        raise JsonRpcInvalidParams(f'the name "{name}" is taken')
    if _is_shipped(binding):
        raise JsonRpcInvalidParams("the standard library cannot be changed")
    edits: dict[str, list[types.TextEdit]] = {}
    for place in binding.places:
        where = location(view, place)
        edits.setdefault(where.uri, []).append(types.TextEdit(where.range, name))
    return types.WorkspaceEdit(changes=edits)


def _is_shipped(binding: Binding) -> bool:
    return any(place.span.source.name.startswith("std/") for place in binding.places)


def prepared(view: View, params: types.PrepareRenameParams) -> types.Range | None:
    """The name at a place, if it can have another one."""
    offset = view.document.positions.offset(params.position)
    binding = binding_at(view, offset)
    for place in binding.places if binding and not _is_shipped(binding) else ():
        span = place.span
        if span.source.name == view.document.path and span.start <= offset <= span.end:
            return view.document.positions.range(span.start, span.end)
    return None
