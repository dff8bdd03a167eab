"""Texts with a mark where the cursor is, and what the features answer there."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from lsprotocol import types

from edgescript.catalog import Catalogue
from edgescript.language.parse import parse
from edgescript.lsp.document import Document, View
from edgescript.text.problem import Problem
from edgescript.text.source import Source

CATALOGUE = Catalogue.load()
URI = "file:///nowhere/Edgefile"


def viewed(
    text: str, *, uri: str = URI, snippets: bool = False, others: Sequence[tuple[str, str]] = (), **options: Any
) -> View:
    """A document, and other files (path and text) that belong to it."""
    trees = [parse(Source(path, content))[0] for path, content in others]
    return View(Document(uri, 1, text), CATALOGUE, trees, options=options, snippets=snippets)


def marked(text: str, **more: Any) -> tuple[View, int]:
    """The view of a text without its mark `‸`, and the offset of the mark."""
    before, _, after = text.partition("‸")
    return viewed(before + after, **more), len(before)


def at(view: View, offset: int, **more: Any) -> Any:
    """The parameters of a request about a place."""
    position = view.document.positions.position(offset)
    return SimpleNamespace(position=position, range=types.Range(position, position), **more)


def with_problems(view: View, problems: Sequence[Problem]) -> View:
    return View(view.document, view.catalogue, view.others, problems, view.options, view.snippets)


def edited(text: str, edits: Sequence[types.TextEdit], view: View) -> str:
    """A text after edits, which lie apart, as an editor applies them."""
    offset = view.document.positions.offset
    for edit in sorted(edits, key=lambda each: offset(each.range.start), reverse=True):
        text = text[: offset(edit.range.start)] + edit.new_text + text[offset(edit.range.end) :]
    return text
