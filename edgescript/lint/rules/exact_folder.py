"""W318: a block or upstream for `/x/` alone, where everything below it will be meant."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.declare.entries import GROUP
from edgescript.graph.bound import Node
from edgescript.lint.facts import Facts, part_of
from edgescript.text.problem import Edit, Fix, Problem


def check(facts: Facts) -> Iterator[Problem]:
    for nodes in facts.blocks:
        for node in nodes:
            if node.role is GROUP or node.bound.declaration.foreign:
                yield from _paths(node)


def _paths(node: Node) -> Iterator[Problem]:
    for path in node.paths or ():
        if len(path) > 1 and path.endswith("/") and "*" not in path and node.matcher is not None:
            span = part_of(node.matcher.span if node.matcher.parts else node.matcher.line.span(), path)
            fix = Fix(f'write "{path}*"', (Edit(span, f"{path}*"),))
            message = f'"{path}" is this one path, and nothing below it'
            hint = f'write "{path}*" for everything below it'
            yield Problem("W318", message, span, hint=hint, fix=fix)
