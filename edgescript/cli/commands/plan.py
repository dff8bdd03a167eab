"""`edge plan`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from edgescript.cli import console, edgefile

if TYPE_CHECKING:
    from edgescript.graph.load import Analysis
    from edgescript.text.source import Source

#: The exit code where something changes.
CHANGED = 2

_STYLES = {
    r"(?m)^\S.*$": "bold",
    r"(?m)^ +\+ .*$": "green",
    r"(?m)^ +- .*$": "red",
    r"(?m)^ +[~^] .*$": "yellow",
    r"(?m)^ +! .*$": "bold red",
    r"\([^()]*:\d+:\d+\)": "blue",
}


@click.command(
    help="""
    Tell what changes from one Edgefile to another, by meaning, and what live traffic would notice. One of them may be `-`,
    standard input: `git show HEAD:Edgefile | edge plan - Edgefile`.

    The exit code is 0 where nothing changes, 2 where something does, and 1 where a file has problems.
    """
)
@click.argument("old")
@click.argument("new")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="For people, or for tools.")
@click.option("--json", "form", flag_value="json", help="Short for --format json.")
def command(old: str, new: str, form: str) -> None:
    if old == new == "-":
        raise click.UsageError("only one of the two can be standard input")
    from edgescript.plan.compare import plan
    from edgescript.plan.render import as_text

    sources = [edgefile.read(name) for name in (old, new)]
    named = sources[0] if new == "-" else sources[1]
    found = plan(*_analyses(sources), directory=edgefile.directory(named))
    if form == "json":
        console.say(json.dumps(found.as_json(), indent=2))
    elif console.has_colour(sys.stdout):
        console.say_highlighted(as_text(found), _STYLES)
    else:
        console.say(as_text(found))
    if found.changes:
        raise click.exceptions.Exit(CHANGED)


def _analyses(sources: list[Source]) -> tuple[Analysis, Analysis]:
    """What both files mean; with errors in any of them, both are told and the command ends."""
    from edgescript.graph.compile import has_errors

    old, new = (edgefile.understood(source) for source in sources)
    broken = [one.problems for one in (old, new) if one.bound is None or has_errors(one.problems)]
    for problems in broken:
        edgefile.show(problems, error=True)
    if broken:
        raise click.exceptions.Exit(1)
    return old, new
