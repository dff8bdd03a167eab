"""W304: the same directive twice, one below the other."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.declare.entries import REWRITER, WRAPPER
from edgescript.graph.bound import Node
from edgescript.language.tree import Line
from edgescript.lint.facts import Facts
from edgescript.text.problem import Note, Problem


def check(facts: Facts) -> Iterator[Problem]:
    for nodes in facts.blocks:
        if sum([node.role is WRAPPER for node in nodes]) < 2:
            continue
        seen: dict[object, Node] = {}
        for node in nodes:
            if node.role is REWRITER or node.block:
                seen = {}  # what comes may be another request now
            if node.role is not WRAPPER:
                continue
            first = seen.setdefault(_said(node.bound.line), node)
            # What an import brings once more does no harm, and its writer could not know.
            if first is not node and first.span.imported == node.span.imported:
                message = f"this {node.name} was written above already, word for word"
                hint = "take one of them away"
                yield Problem("W304", message, node.span, (Note("the first is here", first.span),), hint)


def _said(line: Line) -> object:
    words = tuple([word.value for word in line.words])
    return words if line.block is None else (words, tuple([_said(inner) for inner in line.block if inner.words]))
