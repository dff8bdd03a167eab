"""W303: the request is changed below everything that could answer it."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.declare.entries import ERRORS, GROUP, REWRITER, SITE, TERMINAL
from edgescript.lint.facts import Facts
from edgescript.text.problem import Note, Problem


def check(facts: Facts) -> Iterator[Problem]:
    for site in facts.bound.sites:
        nodes = [node for node in site.nodes if node.role is not ERRORS and node.role is not SITE]
        if not nodes or nodes[-1].role is TERMINAL or nodes[-1].role is GROUP:
            continue
        answering = [number for number, node in enumerate(nodes) if node.role is TERMINAL or node.role is GROUP]
        if not answering:
            continue
        last = nodes[answering[-1]]
        for node in nodes[answering[-1] + 1 :]:
            if node.role is REWRITER:
                message = f"this {node.name} changes requests that nothing below it answers"
                hint = f"move it above the {last.name}"
                yield Problem("W303", message, node.span, (Note("this is the last that answers", last.span),), hint)
