"""W316: a site in which nothing answers, so that every request gets 404."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgescript.declare.entries import ERRORS, RESPONSES, TERMINAL
from edgescript.graph.bound import Node
from edgescript.lint.facts import Facts
from edgescript.text.problem import Problem


def check(facts: Facts) -> Iterator[Problem]:
    for site in facts.bound.sites:
        if not _answers(site.nodes):
            hint = "add what answers, such as `files`, `proxy` or `respond`"
            yield Problem("W316", "nothing in this site answers, so every request gets 404", site.span, hint=hint)


def _answers(nodes: Sequence[Node]) -> bool:
    return any(
        node.role is TERMINAL or (node.role not in (ERRORS, RESPONSES) and _answers(node.block)) for node in nodes
    )
