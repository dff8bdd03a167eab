"""What can be written at a place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from lsprotocol import types

from edgescript.catalog import SHELVES, Catalogue
from edgescript.declare.describe import describe, placeholder_names
from edgescript.declare.fields import Place
from edgescript.declare.kinds import TEMPLATE, TEXT, Kind
from edgescript.declare.plan import Plan, plan_of
from edgescript.language.files import standard_names
from edgescript.language.imports import is_import
from edgescript.language.standard import standard_snippet
from edgescript.language.tree import Line
from edgescript.lsp import context
from edgescript.lsp.context import Block, Cursor
from edgescript.lsp.document import View, snippet_name
from edgescript.lsp.names import bindings, matchers_in_scope
from edgescript.lsp.texts import about_entry, about_slot, about_standard, above
from edgescript.testing import scenario

METHOD = types.TEXT_DOCUMENT_COMPLETION
OPTIONS = types.CompletionOptions(trigger_characters=["{", "@", "/", " ", "."], resolve_provider=True)

Kinds = types.CompletionItemKind
#: What stands for the arguments of an import.
_OF_IMPORTS = ("args.0", "args[:]", "args.NAME", "block")
#: A placeholder that is being typed: an open brace with no space behind it.
_OPEN = re.compile(r"(?<!\\)\{([\w.-]*)$")
#: A path that needs no quotes.
_BARE = re.compile(r"[\w./@%+,:=~-]+")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
#: Kinds of which an example says nothing.
_FREE = (TEXT, TEMPLATE)
#: What `data` of an item says instead of a shelf's name.
_STANDARD = "std"
_TESTS = {Block.TEST: scenario.TEST_WORDS, Block.STAND_IN: scenario.STAND_IN_WORDS}


def answer(view: View, params: types.CompletionParams) -> types.CompletionList:
    offset = view.document.positions.offset(params.position)
    return types.CompletionList(is_incomplete=False, items=list(items(view, offset)))


def items(view: View, offset: int) -> Iterator[types.CompletionItem]:
    at = context.cursor(view, offset)
    if at.in_comment:
        return
    start = offset - len(_typed(view, at))
    line = view.document.text[view.document.text.rfind("\n", 0, offset) + 1 : offset]
    if (match := _OPEN.search(line)) and at.line is not None and (at.index or match.start() > 0):
        yield from _placeholders(view, at, offset - len(match[1]), offset)
    elif at.line is None or at.index == 0:
        yield from _placed(view, _names(view, at), start, offset)
    elif at.word is None or at.word.quote != "<<":
        yield from _placed(view, _arguments(view, at, at.line), start, offset)


def _placed(view: View, found: Iterator[types.CompletionItem], start: int, end: int) -> Iterator[types.CompletionItem]:
    """The items, which replace what was typed already."""
    place = view.document.positions.range(start, end)
    for item in found:
        item.text_edit = types.TextEdit(place, item.insert_text or item.label)
        item.insert_text = None
        yield item


def _placeholders(view: View, at: Cursor, start: int, end: int) -> Iterator[types.CompletionItem]:
    place = view.document.positions.range(start, end)
    closing = "" if view.document.text[end : end + 1] == "}" else "}"
    for name in _OF_IMPORTS if _is_imported(view, at) else ():
        edit = types.TextEdit(place, name + closing)
        yield types.CompletionItem(label=name, kind=Kinds.Variable, text_edit=edit, detail="what the import gives")
    for name in view.catalogue.names("placeholders"):
        entry = view.catalogue.placeholder(name)
        for text in placeholder_names(entry) if entry else ():
            edit = types.TextEdit(place, text + closing)
            yield types.CompletionItem(
                label=text, kind=Kinds.Variable, text_edit=edit, data={"shelf": "placeholders", "name": name}
            )


def _is_imported(view: View, at: Cursor) -> bool:
    """Whether a line stands in what others import, which may have arguments."""
    outer = at.around[0] if at.around else None
    return context.top_of(view).block is Block.STEPS or (outer is not None and snippet_name(outer) is not None)


# ---- the first word of a line


def _names(view: View, at: Cursor) -> Iterator[types.CompletionItem]:
    block, plan = at.place
    if block in _TESTS:
        yield from (types.CompletionItem(label=word, kind=Kinds.Keyword) for word in _TESTS[block])
    elif block is Block.OPTIONS and plan is not None:
        yield from _options(view, plan, at)
    elif block is Block.TOP:
        yield from _top(view)
    elif (shelf := context.SHELF.get(block)) is not None:
        yield from _entries(view, shelf)
        if block is Block.STEPS:
            yield types.CompletionItem(label="import", kind=Kinds.Keyword, detail="a snippet, a file or std/…")
        if block is not Block.MATCHERS and view.snippets:
            named = types.CompletionItem(label="@name", kind=Kinds.Variable, detail="a named matcher", sort_text="2")
            yield _template(view, named, "@${1:name} $0")


_TOP = (
    ("import", "import ", "a snippet, files or std/…"),
    ("test", 'test "$1" {\n    request GET $2\n    expect status ${3:200}\n}', "a test of this file"),
    (":8080", ":8080 {\n    $0\n}", "a site"),
    ("(snippet)", "($1) {\n    $0\n}", "lines to import by name"),
)


def _top(view: View) -> Iterator[types.CompletionItem]:
    for label, text, detail in _TOP:
        yield _template(view, types.CompletionItem(label=label, kind=Kinds.Keyword, detail=detail), text)


def _template(view: View, item: types.CompletionItem, text: str) -> types.CompletionItem:
    if view.snippets and "$" in text:
        item.insert_text, item.insert_text_format = text, types.InsertTextFormat.Snippet
        item.insert_text_mode = types.InsertTextMode.AdjustIndentation
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


def _options(view: View, plan: Plan, at: Cursor) -> Iterator[types.CompletionItem]:
    given = {line.words[0].value for line in (at.around[-1].block or ()) if line.words and line is not at.line}
    for name, slot in plan.lines.items():
        if name not in given or slot.field.repeated:
            opens = slot.place is Place.GROUP and not plan_of(slot.record).args if slot.record else False
            about = types.MarkupContent(types.MarkupKind.Markdown, about_slot(slot))
            item = types.CompletionItem(label=name, kind=Kinds.Property, detail=slot.field.doc, documentation=about)
            yield _template(view, item, f"{name} {{\n    $0\n}}") if opens else item


# ---- the others


def _arguments(view: View, at: Cursor, line: Line) -> Iterator[types.CompletionItem]:
    if is_import(line):
        yield from _imports(view, at) if at.index == 1 else _import_arguments(line)
        return
    if at.place.block is Block.TEST:
        yield from _of_test(view, line, at.index)
        return
    expected = context.expected(line, at.index, at.place, view.catalogue)
    if expected.matcher:
        yield from _matchers(view, at)
    if expected.shelf:
        yield from _entries(view, expected.shelf)
    if expected.slot is not None and expected.slot.name in ("method", "methods"):
        yield from (types.CompletionItem(label=method, kind=Kinds.EnumMember) for method in _METHODS)
    if expected.kind is not None:
        yield from _values(expected, expected.kind)
        if expected.kind.path_like:
            yield from _paths(view, at)


def _typed(view: View, at: Cursor) -> str:
    """What of the word stands before the cursor, without its quote."""
    return view.document.text[at.word.start : at.offset].removeprefix(at.word.quote) if at.word else ""


def _of_test(view: View, line: Line, index: int) -> Iterator[types.CompletionItem]:
    words = [word.value for word in line.words]
    subject = 2 if words[:2] == ["expect", "not"] else 1
    if words[0] == "request" and index == 1:
        yield from (types.CompletionItem(label=method, kind=Kinds.EnumMember) for method in _METHODS)
    elif words[0] == "expect" and index == subject:
        subjects = scenario.SUBJECTS if subject == 2 else (*scenario.SUBJECTS, "not")
        yield from (types.CompletionItem(label=each, kind=Kinds.Keyword) for each in subjects)
    elif words[0] == "upstream" and index == 1:
        yield from (types.CompletionItem(label=address, kind=Kinds.Value) for address in ("*", *_endpoints(view)))
    elif words[0] == "expect" and index == subject + 1 and words[subject] == "upstream":
        yield from (types.CompletionItem(label=address, kind=Kinds.Value) for address in (*_endpoints(view), "none"))
    elif words[0] == "expect" and index == subject + 1 and words[subject] == "route":
        names = sorted({binding.name for binding in bindings(view) if binding.name.startswith("@")})
        yield from (types.CompletionItem(label=name, kind=Kinds.Variable) for name in names)


def _endpoints(view: View) -> list[str]:
    """Where requests are passed on to, as it is written."""
    lines = (line for tree in view.trees for top in tree.lines for line in top.walk() if line.words)
    found = (word.value for line in lines if line.words[0].value == "proxy" for word in line.words[1:])
    return sorted({each for each in found if not each.startswith(("/", "@", "*", "{"))})


def _values(expected: context.Expected, kind: Kind) -> Iterator[types.CompletionItem]:
    """The words that there are; of a kind with many, examples."""
    default = expected.slot.field.default if expected.slot is not None else None
    first = [default] if isinstance(default, str) and default else []
    for text in dict.fromkeys((*first, *(kind.words or (() if kind in _FREE else kind.samples)))):
        detail = "default" if text == default else None if kind.words else kind.expected
        item = types.CompletionItem(label=text, kind=Kinds.EnumMember if kind.words else Kinds.Value, detail=detail)
        item.preselect = True if text == default else None
        yield item


def _matchers(view: View, at: Cursor) -> Iterator[types.CompletionItem]:
    """The named matchers that hold here: of the blocks around, and of the global block."""
    for name in sorted(matchers_in_scope(view, at.around)):
        yield types.CompletionItem(label=name, kind=Kinds.Variable, sort_text=f"0{name}")


def _imports(view: View, at: Cursor) -> Iterator[types.CompletionItem]:
    for name, line in view.defined_snippets.items():
        summary = above(line).partition("\n")[0] or None
        yield types.CompletionItem(label=name, kind=Kinds.Module, sort_text=f"0{name}", detail=summary)
    for name in standard_names():
        data = {"shelf": _STANDARD, "name": name}
        yield types.CompletionItem(label=f"std/{name}", kind=Kinds.Module, sort_text=f"1{name}", data=data)
    yield from _paths(view, at)


def _import_arguments(line: Line) -> Iterator[types.CompletionItem]:
    """The named arguments of a snippet of the standard library that the line does not have yet."""
    name = line.words[1].value.removeprefix("std/")
    if line.words[1].value.startswith("std/") and name in standard_names():
        given = {word.value.partition("=")[0] for word in line.words if "=" in word.value}
        for argument in standard_snippet(name).arguments:
            if argument.is_named and argument.name not in given:
                yield types.CompletionItem(label=f"{argument.name}=", kind=Kinds.Property, detail=argument.text)


def _paths(view: View, at: Cursor) -> Iterator[types.CompletionItem]:
    """The files beside the document, or in the folder that is typed; a name that is no bare word is put in backticks."""
    folder = os.path.dirname(_typed(view, at))
    try:
        with os.scandir(os.path.join(os.path.dirname(view.document.path), folder)) as found:
            entries = sorted(found, key=lambda each: each.name)
    except (OSError, ValueError):
        return  # no such folder: there is nothing to offer
    for each in entries[:500]:
        if each.name.isprintable() and "`" not in each.name and not each.name.startswith("."):
            label = os.path.join(folder, each.name)
            kind = Kinds.Folder if _is_folder(each) else Kinds.File
            bare = (at.word and at.word.quote) or _BARE.fullmatch(label)
            text = None if bare else f"`{label}`"
            yield types.CompletionItem(label=label, kind=kind, sort_text=f"2{label}", insert_text=text)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link to itself, or one that leads where nobody may look


def resolved(item: types.CompletionItem, catalogue: Catalogue) -> types.CompletionItem:
    """The item with its documentation, which is made when it is looked at."""
    data = item.data if isinstance(item.data, dict) else {}
    text = _documentation(str(data.get("shelf")), str(data.get("name")), catalogue)
    if text is not None:
        item.documentation = types.MarkupContent(types.MarkupKind.Markdown, text)
    return item


def _documentation(shelf: str, name: str, catalogue: Catalogue) -> str | None:
    if shelf == _STANDARD:
        return about_standard(standard_snippet(name)) if name in standard_names() else None
    entry = catalogue.entry(shelf, name) if shelf in SHELVES else None
    return None if entry is None else about_entry(describe(entry))
