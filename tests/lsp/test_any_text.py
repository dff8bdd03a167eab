"""Every feature answers for any text at any place, without raising."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types

from edgescript.catalog import Catalogue
from edgescript.graph.load import analyse
from edgescript.language.parse import parse
from edgescript.lint.run import lint
from edgescript.lsp import features
from edgescript.lsp.document import Document, View
from edgescript.lsp.features import completion, rename
from edgescript.text.problem import Problem
from edgescript.text.source import Source

ROOT = Path(__file__).parents[2]
CATALOGUE = Catalogue.load()
PARTS = [
    ":80",
    "{",
    "}",
    "\n",
    "\r\n",
    " ",
    "\t",
    "@a",
    "path",
    "/x",
    "proxy",
    "health",
    "import",
    "(s)",
    "test",
    "😀",
    '"',
    "`",
]
PARTS += [
    "respond",
    "{path",
    "not",
    "<<E",
    "#",
    "\\",
    "balance",
    "handle",
    "\x0c",
    "\u2028",
    "\0",
    "expect",
    "upstream",
    "\ud800",
    "(s) {\n",
    "import s\n",
    "expect route @a\n",
    "not path",
    "# edge: allow W201",
    "std/cors",
    "*.edge",
]
TEXTS = st.lists(st.sampled_from(PARTS), max_size=40).map(" ".join) | st.lists(st.sampled_from(PARTS)).map("".join)
MODULES = [importlib.import_module(f"{features.__name__}.{f.name}") for f in pkgutil.iter_modules(features.__path__)]


@settings(deadline=None, max_examples=1000)
@given(TEXTS, TEXTS, st.integers(0, 20), st.integers(0, 99), st.sampled_from(["Edgefile", "part.edge"]))
def test_no_text_and_no_place_makes_a_feature_fail(text: str, near: str, line: int, character: int, name: str) -> None:
    document = Document(f"file:///nowhere/{name}", 1, text)
    others = [parse(Source("/nowhere/x", near))[0]]
    view = View(document, CATALOGUE, others, problems_of(document), {"inlayHints": "all"}, snippets=True)
    everything_answers(view, types.Position(line, character))


@pytest.mark.parametrize("path", ["examples/reverse-proxy/Edgefile", "stdlib/cors.edge"])
def test_every_beginning_of_a_file_is_answered_at_its_end(path: str) -> None:
    """As it is while somebody types it."""
    text = (ROOT / path).read_text(encoding="utf-8")
    for end in range(len(text)):
        document = Document(f"file:///nowhere/{path}", 1, text[:end])
        everything_answers(View(document, CATALOGUE), document.positions.position(end))


def everything_answers(view: View, at: types.Position) -> None:
    context: Any = SimpleNamespace(only=None, include_declaration=True, diagnostics=[])
    everything = types.Range(types.Position(0, 0), types.Position(99, 0))
    for where in (types.Range(at, at), everything):
        params = SimpleNamespace(position=at, range=where, context=context, new_name="other_name")
        for module in MODULES:
            module.answer(view, params)
    rename.prepared(view, SimpleNamespace(position=at))  # type: ignore[arg-type]
    for item in completion.items(view, view.document.positions.offset(at)):
        completion.resolved(item, CATALOGUE)


def problems_of(document: Document) -> list[Problem]:
    found = analyse(document.source, catalogue=CATALOGUE, environment={}, read=_nothing)
    return [*found.problems, *lint(found, CATALOGUE)]


def _nothing(name: str) -> bytes:
    raise FileNotFoundError(2, "No such file or directory", name)
