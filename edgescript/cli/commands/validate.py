"""`edge validate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgescript.cli import console, edgefile
from edgescript.text.problem import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgescript.graph.model import Graph
    from edgescript.language.tree import Line
    from edgescript.text.source import Source


@click.command(help="Check an Edgefile (`-` for standard input) and report every problem.")
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="For people, or for tools.")
def command(file: str | None, form: str) -> Graph | None:
    source = edgefile.read(file)
    graph, problems = edgefile.compiled(source)
    tests = _tests_of_broken(source) if graph is None else graph.tests
    if tests:
        from edgescript.testing.scenario import read_tests
        from edgescript.text.problem import in_order

        problems = in_order([*problems, *read_tests(tests)[1]])
    if form == "json":
        from edgescript.text.render import as_json

        console.say(as_json(problems))
    else:
        edgefile.show(problems)
        console.say(_summary(source.name, [problem.severity for problem in problems]))
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise click.exceptions.Exit(1)
    return graph  # so that it goes with the process, and not piece by piece before


def _tests_of_broken(source: Source) -> Sequence[Line]:
    """The tests of a file that has no graph, so that one run tells what is wrong with them too."""
    from edgescript.language.expand import expand
    from edgescript.language.parse import parse

    return expand(parse(source)[0])[0].tests


def _summary(name: str, severities: list[Severity]) -> str:
    errors = severities.count(Severity.ERROR)
    warnings = severities.count(Severity.WARNING)
    counts = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((errors, "error"), (warnings, "warning"))
        if count
    ]
    return f"{name}: {', '.join(counts) or 'valid'}"
