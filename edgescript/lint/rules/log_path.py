"""W319: a log of the requests for `/var/log/x.log`, where a log in this file will be meant."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.lint.facts import Facts
from edgescript.text.problem import Problem


def check(facts: Facts) -> Iterator[Problem]:
    for nodes in facts.blocks:
        for node in nodes:
            word = node.bound.matcher
            if word is None or not node.bound.declaration.outermost or not _is_file_of_a_log(word.value):
                continue
            message = f'"{word.value}" is a matcher here: this {node.name} is for requests of that path alone'
            hint = f"write `output file {word.value}` in a block of the {node.name}"
            yield Problem("W319", message, node.bound.line.span(word), hint=hint)


def _is_file_of_a_log(text: str) -> bool:
    return text.startswith("/") and text.endswith(".log")
