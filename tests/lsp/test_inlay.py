"""The defaults that hold where a line leaves something out."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from lsprotocol import types

from edgescript.lsp.features import inlay
from tests.lsp.marks import edited, viewed


def shown(text: str, first: int = 0, last: int = 99, **options: Any) -> str:
    """The text with its hints in `‹…›`."""
    view = viewed(text, **options)
    where = types.Range(types.Position(first, 0), types.Position(last, 0))
    hints = inlay.answer(view, SimpleNamespace(range=where))  # type: ignore[arg-type]
    edits = [types.TextEdit(types.Range(hint.position, hint.position), f"‹{hint.label}›") for hint in hints]
    return edited(text, edits, view)


@pytest.mark.parametrize(
    "text",
    [
        ":80 {\n respond 204\n}\n",
        ":80 {\n redir /x‹code 302› # moved\n}\n",
        ":80 {\n redir /x https://x 301\n}\n",
        ":80 {\n proxy :1 # no block, nothing to add\n}\n",
        ":80 {\n proxy :1 {‹balance random, connect_timeout 3s, response_header_timeout 1m› # servers\n }\n}\n",
        ":80 {\n proxy :1 {‹connect_timeout 3s, response_header_timeout 1m, idle_timeout 5m›\n  balance first\n }\n}\n",
        "{\n timeouts {‹read_header 30s, write_idle 60s, min_rate 100B›\n  read_body_idle 1s\n }\n}\n",
        ":80 {\n handle /x {\n }\n @a path /x\n nonsense\n}\n",
    ],
)
def test_what_is_left_out_is_shown_with_its_default(text: str) -> None:
    assert shown(re.sub("‹.*?›", "", text)) == text


def test_the_client_chooses_how_much_is_shown() -> None:
    text = ":80 {\n redir /x\n log {\n }\n request_body {\n }\n}\n"
    some = ":80 {\n redir /x‹code 302›\n log {‹output stdout, format json›\n }\n request_body {‹max_size 10MB›\n }\n}\n"
    assert shown(text) == some
    assert shown(text, inlayHints="nonsense") == some
    assert shown(text, inlayHints="arguments") == ":80 {\n redir /x‹code 302›\n log {\n }\n request_body {\n }\n}\n"
    assert shown(text, inlayHints=False) == shown(text, inlayHints="off") == text
    assert "idle_timeout 5m, max_connections 0" in shown(":80 {\n proxy :1 {\n }\n}\n", inlayHints="all")


def test_only_what_is_in_sight_is_looked_at() -> None:
    text = ":80 {\n redir /x\n redir /y\n}\n"
    assert shown(text, 2, 3) == ":80 {\n redir /x\n redir /y‹code 302›\n}\n"
