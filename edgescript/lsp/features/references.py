"""Where a snippet or named matcher is used."""

from __future__ import annotations

from lsprotocol import types

from edgescript.lsp.document import View
from edgescript.lsp.features.definition import location
from edgescript.lsp.names import binding_at

METHOD = types.TEXT_DOCUMENT_REFERENCES
OPTIONS = types.ReferenceOptions()


def answer(view: View, params: types.ReferenceParams) -> list[types.Location]:
    binding = binding_at(view, view.document.positions.offset(params.position))
    if binding is None:
        return []
    places = binding.places if params.context.include_declaration else binding.uses
    return [location(view, place) for place in places]
