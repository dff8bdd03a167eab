"""W309: the client chooses the folder that files are served from."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.declare.fields import Risk
from edgescript.lint.client_values import before_anything_fixed, risky
from edgescript.lint.facts import Facts
from edgescript.text.problem import Problem


def check(facts: Facts) -> Iterator[Problem]:
    for found in risky(facts, Risk.FOLDER, before_anything_fixed):
        message = f"{{{found.name}}} decides from which folder files are served, and a client can write anything there"
        hint = f"put a folder in front, which it cannot leave: /srv/www/{{{found.name}}}"
        yield Problem("W309", message, found.span, hint=hint)
