"""Another name for a snippet or named matcher, wherever it is written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from edgescript.language.tree import Line
from edgescript.lsp.document import View, snippet_name
from edgescript.lsp.features.definition import location
from edgescript.lsp.names import Binding, Place, binding_at, bindings

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
    if name != binding.name and any(o.name == name and _meet(view, o, binding) for o in bindings(view)):
        raise JsonRpcInvalidParams(f'the name "{name}" is taken')
    if _is_shipped(binding):
        raise JsonRpcInvalidParams("the standard library cannot be changed")
    edits: dict[str, list[types.TextEdit]] = {}
    for place in _once(view, binding.places):
        where = location(view, place)
        edits.setdefault(where.uri, []).append(types.TextEdit(where.range, name))
    return types.WorkspaceEdit(changes=edits)


def _once(view: View, places: Sequence[Place]) -> Iterator[Place]:
    """The places; of a file that is imported by several names (links) those of one, because its text is changed once."""
    names = {os.path.realpath(view.document.path): view.document.path}
    for place in places:
        name = os.path.normpath(place.span.source.name)
        if names.setdefault(os.path.realpath(name), name) == name:
            yield place


def _meet(view: View, one: Binding, other: Binding) -> bool:
    """Whether two names may be seen at one place: in the same site, or where one stands outside of sites."""
    sites, others = _sites(view, one), _sites(view, other)
    return None in sites | others or bool(sites & others)


def _sites(view: View, binding: Binding) -> set[Line | None]:
    """The sites that have the name; None for what sites import, and for the global block."""
    sites = [line for tree in view.trees for line in tree.lines if line.words and not snippet_name(line) and line.block]
    found: set[Line | None] = set()
    for span, _ in binding.places:
        source = span.source
        here = (line for line in sites if line.origin.source is source and line.start <= span.start < line.end)
        found.add(None if source.name.endswith(".edge") else next(here, None))
    return found


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
