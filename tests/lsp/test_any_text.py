"""Every feature answers for any text at any place, without raising."""

from __future__ import annotations

import importlib
import pkgutil
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types

from edgescript.catalog import Catalogue
from edgescript.lsp import features
from edgescript.lsp.document import Document, View

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
]
TEXTS = st.lists(st.sampled_from(PARTS), max_size=40).map(" ".join) | st.lists(st.sampled_from(PARTS)).map("".join)
MODULES = [importlib.import_module(f"{features.__name__}.{f.name}") for f in pkgutil.iter_modules(features.__path__)]


@settings(deadline=None, max_examples=200)
@given(TEXTS, st.integers(0, 20), st.integers(0, 99), st.sampled_from(["Edgefile", "part.edge"]))
def test_no_text_and_no_place_makes_a_feature_fail(text: str, line: int, character: int, name: str) -> None:
    view = View(Document(f"file:///nowhere/{name}", 1, text), CATALOGUE)
    at = types.Position(line, character)
    context: Any = SimpleNamespace(only=None, include_declaration=True, diagnostics=[])
    params = SimpleNamespace(position=at, range=types.Range(at, at), context=context, new_name="other_name")
    for module in MODULES:
        module.answer(view, params)
