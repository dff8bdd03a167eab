"""W305: a directive stands above one that must stand around it: `cache` answers before `auth` has asked who it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgescript.graph.bound import Node
from edgescript.lint.facts import Facts
from edgescript.text.problem import Note, Problem


def check(facts: Facts) -> Iterator[Problem]:
    for nodes in facts.blocks:
        for number, node in enumerate(nodes):
            wanted = node.bound.declaration.inside
            if not wanted:
                continue
            below = _first([*node.block, *nodes[number + 1 :]], wanted)
            if below is not None:
                message = (
                    f"this {node.name} stands above {below.name}, and so also answers whom {below.name} would refuse"
                )
                hint = f"move it below the {below.name}"
                yield Problem("W305", message, node.span, (Note("this should come first", below.span),), hint)


def _first(nodes: Sequence[Node], names: tuple[str, ...]) -> Node | None:
    """The first directive of one of these names, in these or in the blocks inside."""
    for node in nodes:
        if node.name in names:
            return node
        if node.block and (inner := _first(node.block, names)) is not None:
            return inner
    return None
