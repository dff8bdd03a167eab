"""W306: a snippet that nothing imports."""

from __future__ import annotations

from collections.abc import Iterator

from edgescript.lint.facts import Facts
from edgescript.text.problem import Problem


def check(facts: Facts) -> Iterator[Problem]:
    file, tree = facts.analysis.file, facts.analysis.tree
    if not file.sites:
        return  # a file of snippets alone is there for others
    for name, snippet in file.snippets.items():
        if name not in file.imported and snippet.span.source is tree.source:
            hint = f"write `import {name}` where it is wanted, or take it away"
            yield Problem("W306", f'nothing imports the snippet "{name}"', snippet.span, hint=hint)
