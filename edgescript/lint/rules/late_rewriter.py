"""W303: the request is changed below everything that could answer it."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.declare.entries import REWRITER
from edgescript.graph.check import behind_answers
from edgescript.lint.facts import Facts
from edgescript.text.problem import Note, Problem


def check(facts: Facts) -> Iterator[Problem]:
    for site in facts.bound.sites:
        last, late = behind_answers(site.running)
        for node in late:
            if node.role is REWRITER:
                assert last is not None, "it is late behind something"
                message = f"this {node.name} changes requests that nothing below it answers"
                hint = f"move it above the {last.name}"
                yield Problem("W303", message, node.span, (Note("this is the last that answers", last.span),), hint)
