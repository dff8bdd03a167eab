"""W317: a block for errors that another one above takes all of."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.declare.entries import ERRORS
from edgescript.graph.bound import Node
from edgescript.lint.facts import Facts
from edgescript.text.problem import Note, Problem


def check(facts: Facts) -> Iterator[Problem]:
    for site in facts.bound.sites:
        taken: dict[object, Node] = {}
        for node in site.nodes:
            if node.role is not ERRORS:
                continue
            # Without statuses it is for all that no other takes: None.
            statuses = node.bound.instance.statuses or (None,)
            above = [taken.get(status) for status in statuses]
            for status in statuses:
                taken.setdefault(status, node)
            first = above[0]
            if first is not None and None not in above:
                message = f"this {node.name} never runs: what it is for, another one above takes"
                yield Problem(
                    "W317", message, node.span, (Note("this takes it", first.span),), "put both into one block"
                )
