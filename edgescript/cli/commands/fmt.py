"""`edge fmt`."""

from __future__ import annotations

import difflib
import os
import shutil
import tempfile
from pathlib import Path

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
        _replace(Path(source.name), formatted.encode())
    if check or diff:
        _show_difference(source.name, source.text, formatted)
    elif not write and formatted:
        console.say(formatted)
    if check and formatted != source.text:
        raise click.exceptions.Exit(1)


def _replace(path: Path, data: bytes) -> None:
    """Write a file beside it and put that in its place, so that a full disk cannot leave half of it."""
    path = path.resolve()  # a link stays a link
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    beside = Path(name)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(path, beside)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


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
