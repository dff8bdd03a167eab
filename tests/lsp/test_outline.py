"""Symbols, folds, colours and the formatted text of a document."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from lsprotocol import types

from edgescript.lsp.features import folding, formatting, symbols, tokens
from tests.lsp.marks import edited, viewed

TEXT = """\
# What this is,
# in two lines.
{
    grace_period 5s
}

(shared) {
    log
}

example.com, :80 {
    @a path /x
    @b {
        not path /y
    }
    handle @a {
        respond 200 <<END
            text
            END
    }
    import shared
}

test "a" {
    request GET /
}
"""
NOTHING: Any = SimpleNamespace()


def outline(found: list[types.DocumentSymbol]) -> list[Any]:
    return [(each.name, each.kind.name, outline(list(each.children or ()))) for each in found]


def test_symbols_stand_within_each_other() -> None:
    found = symbols.answer(viewed(TEXT), NOTHING)
    inner = [("@a path /x", "Variable", []), ("@b", "Variable", []), ("handle @a", "Object", [])]
    assert outline(found) == [
        ("global block", "Namespace", []),
        ("(shared)", "Module", []),
        ("example.com, :80", "Namespace", inner),
        ("test a", "Method", []),
    ]


def test_a_symbol_holds_its_children_and_its_name() -> None:
    def holds(outer: types.Range, inner: types.Range) -> bool:
        return outer.start <= inner.start and inner.end <= outer.end

    def check(found: list[types.DocumentSymbol]) -> None:
        for each in found:
            assert holds(each.range, each.selection_range)
            assert all(holds(each.range, child.range) for child in each.children or ())
            check(list(each.children or ()))

    for text in (TEXT, ":80 {\n handle {\n  @a", "{\n", ":80 {\n @a path /x", '"a\n'):
        check(symbols.answer(viewed(text), NOTHING))


def test_blocks_comments_and_heredocs_fold() -> None:
    found = folding.answer(viewed(TEXT), NOTHING)
    lines = {(fold.start_line, fold.end_line, fold.kind) for fold in found}
    assert lines == {
        (0, 1, types.FoldingRangeKind.Comment),
        (2, 4, None),
        (6, 8, None),
        (10, 21, None),
        (12, 14, None),
        (15, 19, None),
        (16, 18, None),
        (23, 25, None),
    }


def coloured(text: str) -> list[tuple[str, str]]:
    """Each coloured part with its colour, from the numbers that an editor gets."""
    view = viewed(text)
    data = list(tokens.answer(view, NOTHING).data)
    lines, line, column, found = text.split("\n"), 0, 0, []
    for down, right, length, kind, _ in zip(*[iter(data)] * 5, strict=True):
        line, column = line + down, right if down else column + right
        part = lines[line].encode("utf-16-le")[2 * column : 2 * (column + length)].decode("utf-16-le")
        found.append((part, tokens.OPTIONS.token_types[kind]))
    return found


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (":80 {\n log\n}\n", [(":80", "namespace"), ("log", "keyword")]),
        (":80 {\n @a path /x\n}\n", [(":80", "namespace"), ("@a", "variable"), ("path", "keyword")]),
        ("(s) {\n import t\n}\n", [("(s)", "macro"), ("import", "keyword"), ("t", "macro")]),
        (':80 {\n log "😀" "b"\n}\n', [(":80", "namespace"), ("log", "keyword"), ('"😀"', "string"), ('"b"', "string")]),
        (":80 {\n proxy :1 {\n  balance x\n", [(":80", "namespace"), ("proxy", "keyword"), ("balance", "property")]),
        (":80 {\n respond `a\nb`\n}\n", [(":80", "namespace"), ("respond", "keyword"), ("`a", "string"), ("b`", "string")]),
        ('test "x" {\n request GET /\n}\n', [("test", "keyword"), ('"x"', "string"), ("request", "keyword")]),
    ],
)  # fmt: skip
def test_each_word_has_the_colour_of_what_it_is(text: str, parts: list[tuple[str, str]]) -> None:
    assert coloured(text) == parts


def test_a_document_is_formatted_as_a_whole() -> None:
    text = ":80 {\nrespond   200\t'x'\n  }\n"
    view = viewed(text)
    new = edited(text, formatting.answer(view, NOTHING), view)
    assert new == ":80 {\n    respond 200 'x'\n}\n"
    assert formatting.answer(viewed(new), NOTHING) == []


def test_a_document_whose_structure_is_broken_is_left_as_it_is() -> None:
    assert formatting.answer(viewed(":80 {\n  respond {\n"), NOTHING) == []
