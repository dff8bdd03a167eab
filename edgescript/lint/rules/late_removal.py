"""W302: a header field is taken away below the directive whose responses bring it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgescript.declare.entries import WRAPPER
from edgescript.declare.kinds import CHANGED_FIELD
from edgescript.graph.bound import Node
from edgescript.lint.facts import Facts
from edgescript.text.problem import Note, Problem
from edgescript.text.source import Span


def check(facts: Facts) -> Iterator[Problem]:
    removing = {
        id(value.bound.instance): value.value
        for value in facts.of_kind(CHANGED_FIELD)
        if value.value.startswith("-") and value.bound.declaration.role is WRAPPER
    }
    if not removing:
        return
    for nodes in facts.blocks:
        for number, node in enumerate(nodes):
            if number == 0 or id(node.bound.instance) not in removing:
                continue
            above = _foreign(nodes[:number])
            if above is not None:
                field = removing[id(node.bound.instance)]
                message = f'"{field}" takes nothing from what the {above[0].name} above it answers'
                hint = f"move it above the {above[0].name}: it acts on what is answered below it"
                yield Problem("W302", message, node.span, (Note("this answers before", above[1]),), hint)


def _foreign(nodes: Sequence[Node]) -> tuple[Node, Span] | None:
    """The first directive whose responses come from elsewhere."""
    for node in nodes:
        if node.bound.declaration.foreign:
            return node, node.span
        if node.block and (inner := _foreign(node.block)) is not None:
            return inner
    return None
