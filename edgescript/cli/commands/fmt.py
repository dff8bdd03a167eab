"""`edge fmt`."""

from __future__ import annotations

import difflib

import click

from edgescript.cli import console, edgefile
from edgescript.text.problem import Severity
from edgescript.text.source import Source


@click.command(
    help="""
    Format an Edgefile and print it (`-` formats standard input).

    Meaning and comments are kept. A file with errors is left alone.
    """
)
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--write", "-w", is_flag=True, help="Write the file in place.")
@click.option("--check", is_flag=True, help="Print what would change, and exit 1 if anything would.")
@click.option("--diff", "-d", is_flag=True, help="Print what would change.")
def command(file: str | None, write: bool, check: bool, diff: bool) -> None:
    if write and file == "-":
        raise click.UsageError("standard input cannot be written in place")
    source = edgefile.read(file)
    formatted = _formatted(source)
    if write and formatted != source.text:
        edgefile.write(source.name, formatted)
    if check or diff:
        _show_difference(source.name, source.text, formatted)
    elif not write and formatted:
        console.say(formatted)
    if check and formatted != source.text:
        raise click.exceptions.Exit(1)


def _formatted(source: Source) -> str:
    from edgescript.language.format import format_tree
    from edgescript.language.parse import parse

    tree, problems = parse(source)
    if any(problem.severity is Severity.ERROR for problem in problems):
        edgefile.show(problems, error=True)
        raise click.exceptions.Exit(1)
    return format_tree(tree)


def _show_difference(name: str, before: str, after: str) -> None:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), name, f"{name} (formatted)"
    )
    for line in lines:
        console.say(line)
