"""W301: what is meant for every request of a site stands below something that answers some of them."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.declare.entries import GROUP, TERMINAL
from edgescript.lint.facts import Facts
from edgescript.text.problem import Note, Problem


def check(facts: Facts) -> Iterator[Problem]:
    for site in facts.bound.sites:
        above = None
        for node in site.nodes:
            if node.role is TERMINAL or (node.role is GROUP and node.block):
                above = above or node
            elif above is not None and node.bound.declaration.outermost and node.matcher is None:
                message = f"this {node.name} misses what the {above.name} above it answers"
                hint = f"move it above the {above.name}, or give it a matcher if it is not for every request"
                yield Problem("W301", message, node.span, (Note("this answers before", above.span),), hint)
