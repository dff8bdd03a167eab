"""W310: the client chooses the path of a rewrite, after the rules above have looked at another one."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.declare.fields import Risk
from edgescript.lint.client_values import before_anything_fixed, risky
from edgescript.lint.facts import Facts
from edgescript.text.problem import Problem


def check(facts: Facts) -> Iterator[Problem]:
    for found in risky(facts, Risk.PATH, _path_start):
        message = f"{{{found.name}}} decides which path is asked for, and steps around the rules about paths above"
        hint = f"put a fixed part in front: /files/{{{found.name}}}"
        yield Problem("W310", message, found.span, hint=hint)


def _path_start(target: str) -> str:
    return before_anything_fixed(target.partition("?")[0])
