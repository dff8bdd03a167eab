"""What a word means, from its declaration."""

from __future__ import annotations

import re

from lsprotocol import types

from edgescript.declare.describe import describe
from edgescript.declare.plan import plan_of
from edgescript.language.files import standard_names
from edgescript.language.imports import is_import
from edgescript.language.standard import standard_snippet
from edgescript.lsp import context
from edgescript.lsp.document import View
from edgescript.lsp.names import binding_at
from edgescript.lsp.texts import about_entry, about_expected, about_slot, about_standard, above, code_block
from edgescript.text.pages import page

METHOD = types.TEXT_DOCUMENT_HOVER
OPTIONS = types.HoverOptions()

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][\w.-]*)\}")
_IMPORT = (
    "Put the lines of a snippet, of files (`import sites/*.edge`) or of the standard library (`import std/cors`) here."
)
_MATCHER = "Which requests: `*` is all, a path such as `/api/*`, or a named matcher, `@name`."
_CODE = re.compile(r"\b[EW]\d{3}\b")


def answer(view: View, params: types.HoverParams) -> types.Hover | None:
    offset = view.document.positions.offset(params.position)
    text = next((text for about in _ABOUT if (text := about(view, offset))), None)
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


def _standard(view: View, offset: int) -> str | None:
    at = context.cursor(view, offset)
    if at.line is None or at.word is None or at.index != 1 or not is_import(at.line):
        return None
    name = at.word.value.removeprefix("std/")
    known = at.word.value.startswith("std/") and name in standard_names()
    return about_standard(standard_snippet(name)) if known else None


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
    if at.index == 0 and at.line.words[0].value == "import":
        return _IMPORT
    slot = context.slot_of(at.line, at.place)
    entry = context.entry_of(at.line, at.place, view.catalogue)
    name = 1 if at.line.words[0].value.startswith("@") else 0
    if at.index == name and (slot or entry):
        return about_slot(slot) if slot else about_entry(describe(entry)) if entry else None
    if at.index == 1 and (entry is not None and context.has_matcher(plan_of(entry), at.line)):
        return _MATCHER
    expected = context.expected(at.line, at.index, at.place, view.catalogue)
    if expected.shelf:
        named = view.catalogue.entry(expected.shelf, at.word.value)
        return about_entry(describe(named)) if named else None
    return about_expected(expected)


#: What is asked, in turn: the first that knows something about a place tells it.
_ABOUT = (_code, _placeholder, _standard, _named, _declared)
