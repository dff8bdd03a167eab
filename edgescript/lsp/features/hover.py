"""What a word means, from its declaration."""

from __future__ import annotations

import re

from lsprotocol import types

from edgescript.declare.describe import describe
from edgescript.lsp import context
from edgescript.lsp.document import View
from edgescript.lsp.names import binding_at
from edgescript.lsp.texts import about_entry, about_expected, about_slot, above, code_block
from edgescript.text.pages import page

METHOD = types.TEXT_DOCUMENT_HOVER
OPTIONS = types.HoverOptions()

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][\w.-]*)\}")
_CODE = re.compile(r"\b[EW]\d{3}\b")


def answer(view: View, params: types.HoverParams) -> types.Hover | None:
    offset = view.document.positions.offset(params.position)
    text = _code(view, offset) or _placeholder(view, offset) or _named(view, offset) or _declared(view, offset)
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text)) if text else None


def _code(view: View, offset: int) -> str | None:
    match = _match(_CODE, view, offset)
    found = None if match is None else page(match[0])
    return None if found is None else found.markdown


def _placeholder(view: View, offset: int) -> str | None:
    match = _match(_PLACEHOLDER, view, offset)
    entry = view.catalogue.placeholder(match[1].partition(".")[0]) if match is not None else None
    entry = entry or (view.catalogue.placeholder(match[1]) if match is not None else None)
    return None if entry is None else about_entry(describe(entry))


def _match(pattern: re.Pattern[str], view: View, offset: int) -> re.Match[str] | None:
    """The match on the line of an offset that the offset is in."""
    text = view.document.text
    start, end = text.rfind("\n", 0, offset) + 1, text.find("\n", offset)
    found = pattern.finditer(text, start, len(text) if end < 0 else end)
    return next((match for match in found if match.start() <= offset <= match.end()), None)


def _named(view: View, offset: int) -> str | None:
    binding = binding_at(view, offset)
    if binding is None or not binding.definitions:
        return None
    line = binding.definitions[0].line
    text = line.origin.source.text[line.words[0].start : line.end].rstrip()
    return f"{code_block(text)}\n\n{above(line)}".strip()


def _declared(view: View, offset: int) -> str | None:
    at = context.cursor(view, offset)
    if at.line is None or at.word is None:
        return None
    slot = context.slot_of(at.line, at.place)
    entry = context.entry_of(at.line, at.place, view.catalogue)
    name = 1 if at.line.words[0].value.startswith("@") else 0
    if at.index == name and (slot or entry):
        return about_slot(slot) if slot else about_entry(describe(entry)) if entry else None
    expected = context.expected(at.line, at.index, at.place, view.catalogue)
    if expected.shelf:
        named = view.catalogue.entry(expected.shelf, at.word.value)
        return about_entry(describe(named)) if named else None
    return about_expected(expected)
