"""`edge fmt`."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import click

from edgescript.cli import console, edgefile
from edgescript.text.problem import Severity
from edgescript.text.source import Source


@click.command(
    help="""
    Format an Edgefile and print it (`-` formats standard input).

    Meaning and comments are kept. A file with errors is left alone. With --write, --check or --diff there may be several files,
    and of a folder all files in it that are named Edgefile, or end in .edge.
    """
)
@click.argument("files", required=False, nargs=-1, metavar="[FILE]...")
@click.option("--write", "-w", is_flag=True, help="Write the files in place.")
@click.option("--check", is_flag=True, help="Print what would change, and exit 1 if anything would.")
@click.option("--diff", "-d", is_flag=True, help="Print what would change.")
def command(files: tuple[str, ...], write: bool, check: bool, diff: bool) -> None:
    if write and "-" in files:
        raise click.UsageError("standard input cannot be written in place")
    names = [name for file in files for name in _names(file)] if files else [None]
    if not (write or check or diff) and (len(names) > 1 or any(map(os.path.isdir, files))):
        raise click.UsageError("several files are not printed one behind the other: add --write, --check or --diff")
    failed = False
    for name in names:
        source = edgefile.read(name)
        formatted = _formatted(source)
        failed = failed or formatted is None or (check and formatted != source.text)
        if formatted is not None:
            _use(source, formatted, write=write, shown=check or diff)
    if failed:
        raise click.exceptions.Exit(1)


def _names(file: str) -> list[str]:
    """A file itself; of a folder, the Edgefiles in it, those in hidden folders left out."""
    if not os.path.isdir(file):
        return [file]
    found = [path for pattern in ("Edgefile", "*.edge") for path in Path(file).rglob(pattern) if path.is_file()]
    return [str(path) for path in sorted(found) if not any(part[0] == "." for part in path.relative_to(file).parts)]


def _use(source: Source, formatted: str, *, write: bool, shown: bool) -> None:
    if write and formatted != source.text:
        edgefile.write(source.name, formatted)
    if shown:
        _show_difference(source.name, source.text, formatted)
    elif not write and formatted:
        console.say(formatted)


def _formatted(source: Source) -> str | None:
    """The formatted text; None, with the problems shown, where there is an error."""
    from edgescript.language.format import format_tree
    from edgescript.language.parse import parse

    tree, problems = parse(source)
    if any(problem.severity is Severity.ERROR for problem in problems):
        edgefile.show(problems, error=True)
        return None
    return format_tree(tree)


def _show_difference(name: str, before: str, after: str) -> None:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), name, f"{name} (formatted)"
    )
    for line in lines:
        console.say(line)
