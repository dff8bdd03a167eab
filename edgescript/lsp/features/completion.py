"""What can be written at a place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from lsprotocol import types

from edgescript.catalog import Catalogue
from edgescript.declare.describe import describe, placeholder_names
from edgescript.declare.plan import Plan, plan_of
from edgescript.language.files import standard_names
from edgescript.language.tree import Line
from edgescript.lsp import context
from edgescript.lsp.context import Block, Cursor
from edgescript.lsp.document import View
from edgescript.lsp.texts import about_entry, about_slot
from edgescript.testing import scenario

METHOD = types.TEXT_DOCUMENT_COMPLETION
OPTIONS = types.CompletionOptions(trigger_characters=["{", "@", "/", " ", "."])

Kinds = types.CompletionItemKind
#: A placeholder that is being typed: an open brace with no space behind it.
_OPEN = re.compile(r"(?<!\\)\{([\w.-]*)$")
_TESTS = {Block.TEST: scenario.TEST_WORDS, Block.STAND_IN: scenario.STAND_IN_WORDS}


def answer(view: View, params: types.CompletionParams) -> types.CompletionList:
    offset = view.document.positions.offset(params.position)
    return types.CompletionList(is_incomplete=False, items=list(items(view, offset)))


def items(view: View, offset: int) -> Iterator[types.CompletionItem]:
    at = context.cursor(view, offset)
    start = at.word.start if at.word else offset
    line = view.document.text[view.document.text.rfind("\n", 0, offset) + 1 : offset]
    if (match := _OPEN.search(line)) and at.line is not None and (at.index or match.start() > 0):
        yield from _placeholders(view, offset - len(match[1]), offset)
    elif at.line is None or at.index == 0:
        yield from _placed(view, _names(view, at), start, offset)
    else:
        yield from _placed(view, _arguments(view, at, at.line), start, offset)


def _placed(view: View, found: Iterator[types.CompletionItem], start: int, end: int) -> Iterator[types.CompletionItem]:
    """The items, which replace what was typed already."""
    place = view.document.positions.range(start, end)
    for item in found:
        item.text_edit = types.TextEdit(place, item.insert_text or item.label)
        item.insert_text = None
        yield item


def _placeholders(view: View, start: int, end: int) -> Iterator[types.CompletionItem]:
    place = view.document.positions.range(start, end)
    closing = "" if view.document.text[end : end + 1] == "}" else "}"
    for name in view.catalogue.names("placeholders"):
        entry = view.catalogue.placeholder(name)
        for text in placeholder_names(entry) if entry else ():
            edit = types.TextEdit(place, text + closing)
            yield types.CompletionItem(
                label=text, kind=Kinds.Variable, text_edit=edit, data={"shelf": "placeholders", "name": name}
            )


# ---- the first word of a line


def _names(view: View, at: Cursor) -> Iterator[types.CompletionItem]:
    block, plan = at.place
    if block in _TESTS:
        yield from (types.CompletionItem(label=word, kind=Kinds.Keyword) for word in _TESTS[block])
    elif block is Block.OPTIONS and plan is not None:
        yield from _options(plan, at)
    elif block is Block.TOP:
        yield from _top(view)
    elif (shelf := context.SHELF.get(block)) is not None:
        yield from _entries(view, shelf)
        if block is Block.STEPS:
            yield types.CompletionItem(label="import", kind=Kinds.Keyword, detail="a snippet, a file or std/…")


def _top(view: View) -> Iterator[types.CompletionItem]:
    for label, text in (("import", "import "), ("test", 'test "$1" {\n    $0\n}'), (":8080", ":8080 {\n    $0\n}")):
        yield _template(view, types.CompletionItem(label=label, kind=Kinds.Keyword), text)


def _template(view: View, item: types.CompletionItem, text: str) -> types.CompletionItem:
    if view.snippets and "$" in text:
        item.insert_text, item.insert_text_format = text, types.InsertTextFormat.Snippet
    return item


def _entries(view: View, shelf: str) -> Iterator[types.CompletionItem]:
    for name in view.catalogue.names(shelf):
        item = types.CompletionItem(
            label=name, kind=Kinds.Function, sort_text=f"1{name}", data={"shelf": shelf, "name": name}
        )
        entry = view.catalogue.entry(shelf, name) if view.snippets else None
        if entry is not None and plan_of(entry).steps is not None and shelf == "directives":
            _template(view, item, f"{name} $1 {{\n    $0\n}}")
        yield item


def _options(plan: Plan, at: Cursor) -> Iterator[types.CompletionItem]:
    given = {line.words[0].value for line in (at.around[-1].block or ()) if line.words and line is not at.line}
    for name, slot in plan.lines.items():
        if name not in given or slot.field.repeated:
            yield types.CompletionItem(
                label=name, kind=Kinds.Property, detail=slot.field.doc, documentation=about_slot(slot)
            )


# ---- the others


def _arguments(view: View, at: Cursor, line: Line) -> Iterator[types.CompletionItem]:
    if line.words[0].value == "import":
        yield from _imports(view) if at.index == 1 else ()
        return
    if at.place.block is Block.TEST and line.words[0].value == "expect" and at.index == 1:
        yield from (types.CompletionItem(label=word, kind=Kinds.Keyword) for word in scenario.SUBJECTS)
    expected = context.expected(line, at.index, at.place, view.catalogue)
    if expected.matcher:
        yield from _matchers(view, at)
    if expected.shelf:
        yield from _entries(view, expected.shelf)
    kind = expected.kind
    if kind is not None:
        texts = kind.words or (*kind.samples, *_default(expected))
        yield from (types.CompletionItem(label=text, kind=Kinds.Value) for text in dict.fromkeys(texts))
    if expected.slot is not None and (expected.slot.name == "root" or (kind is not None and kind.path_like)):
        yield from _paths(view, at.word.value[: at.offset - at.word.start] if at.word else "")


def _default(expected: context.Expected) -> list[str]:
    default = expected.slot.field.default if expected.slot is not None else None
    return [default] if isinstance(default, str) else []


def _matchers(view: View, at: Cursor) -> Iterator[types.CompletionItem]:
    """The named matchers that hold here: of the blocks around, and of the global block."""
    tops = [line for tree in view.trees for line in tree.lines if not line.words]
    blocks = [line.block or [] for line in (*at.around, *tops)]
    names = [line.words[0].value for block in (view.document.tree.lines, *blocks) for line in block if line.words]
    for name in sorted({name for name in names if name.startswith("@")}):
        yield types.CompletionItem(label=name, kind=Kinds.Variable, sort_text=f"0{name}")


def _imports(view: View) -> Iterator[types.CompletionItem]:
    for name in view.defined_snippets:
        yield types.CompletionItem(label=name, kind=Kinds.Module, sort_text=f"0{name}")
    for name in standard_names():
        yield types.CompletionItem(label=f"std/{name}", kind=Kinds.Module, sort_text=f"1{name}")
    yield from _paths(view, "")


def _paths(view: View, typed: str) -> Iterator[types.CompletionItem]:
    """The files beside the document, or in the folder that is typed."""
    folder = os.path.dirname(typed)
    try:
        found = sorted(
            os.scandir(os.path.join(os.path.dirname(view.document.path), folder)), key=lambda each: each.name
        )
    except (OSError, ValueError):
        return  # no such folder: there is nothing to offer
    for each in found[:500]:
        if not each.name.startswith("."):
            label = os.path.join(folder, each.name)
            yield types.CompletionItem(
                label=label, kind=Kinds.Folder if each.is_dir() else Kinds.File, sort_text=f"2{label}"
            )


def resolved(item: types.CompletionItem, catalogue: Catalogue) -> types.CompletionItem:
    """The item with its documentation, which is made when it is looked at."""
    data = item.data if isinstance(item.data, dict) else {}
    entry = catalogue.entry(str(data.get("shelf")), str(data.get("name"))) if data.get("shelf") in _SHELVES else None
    if entry is not None:
        item.documentation = types.MarkupContent(types.MarkupKind.Markdown, about_entry(describe(entry)))
    return item


_SHELVES = ("directives", "matchers", "placeholders", "balancers", "settings")
