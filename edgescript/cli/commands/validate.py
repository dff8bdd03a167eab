"""`edge validate`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

import edgescript.text.formats
from edgescript.cli import console, edgefile
from edgescript.text.problem import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgescript.graph.model import Graph
    from edgescript.language.tree import Line
    from edgescript.text.problem import Problem
    from edgescript.text.source import Source

#: For tools; each is a file.
_FORMATS = sorted(path.stem for path in Path(edgescript.text.formats.__path__[0]).glob("[!_]*.py"))


@click.command(
    help="""
    Check an Edgefile (`-` for standard input) and report every problem.

    With --fix, what can be mended without guessing is mended first, in FILE and in the files that it imports; of standard
    input, the mended text is printed, and everything else goes to standard error.
    """
)
@click.argument("file", required=False, metavar="[FILE]")
@click.option(
    "--format", "form", type=click.Choice(["text", *_FORMATS]), default="text", help="For people, or for tools."
)
@click.option("--fix", is_flag=True, help="Mend what can be mended without guessing.")
def command(file: str | None, form: str, fix: bool) -> Graph | None:
    if fix and file == "-" and form != "text":
        raise click.UsageError(f"with --fix, standard output has the mended text; --format {form} has no place there")
    source = edgefile.read(file)
    if fix:
        source = _mended(source, aside=form != "text" or file == "-")
    graph, problems = _everything(source)
    if form != "text":
        console.say(importlib.import_module(f"edgescript.text.formats.{form}").render(problems))
    else:
        aside = fix and file == "-"
        edgefile.show(problems, error=aside)
        console.say(_summary(source.name, problems), error=aside)
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise click.exceptions.Exit(1)
    return graph  # so that it goes with the process, and not piece by piece before


def _everything(source: Source) -> tuple[Graph | None, Sequence[Problem]]:
    """The graph, and what is wrong with the file, its tests included."""
    graph, problems = edgefile.checked(source)
    tests = _tests_of_broken(source) if graph is None else graph.tests
    if tests:
        from edgescript.testing.scenario import read_tests
        from edgescript.text.problem import in_order

        problems = in_order([*problems, *read_tests(tests)[1]])
    return graph, problems


def _tests_of_broken(source: Source) -> Sequence[Line]:
    """The tests of a file that has no graph, so that one run tells what is wrong with them too."""
    from edgescript.language.expand import expand
    from edgescript.language.parse import parse

    return expand(parse(source)[0])[0].tests


def _mended(source: Source, *, aside: bool) -> Source:
    """The file after all safe fixes, which are told and written; of standard input, printed."""
    from edgescript.cli.mending import mended

    result = mended(source, lambda source, read: edgefile.understood(source, read=read).problems)
    for problem in result.problems:
        assert problem.fix is not None
        console.say(f"{problem.span}: fixed {problem.code}: {problem.fix.title}", error=aside)
    if source.name == "<stdin>":
        console.say(result.source.text, end="")
    elif result.source is not source:
        _refuse_if_changed(source)
        edgefile.write(source.name, result.source.text)
    for name, text in result.others.items():
        edgefile.write(name, text)
    return result.source


def _refuse_if_changed(source: Source) -> None:
    """An editor may have written the file since it was read; that must not be lost."""
    if edgefile.read(source.name).text != source.text:
        raise click.ClickException(f"{source.name} was changed meanwhile, and is left as it is")


def _summary(name: str, problems: Sequence[Problem]) -> str:
    severities = [problem.severity for problem in problems]
    errors, warnings = severities.count(Severity.ERROR), severities.count(Severity.WARNING)
    counts = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((errors, "error"), (warnings, "warning"))
        if count
    ]
    safe = sum(problem.fix is not None and problem.fix.safe for problem in problems)
    offer = f"; safe fixes for {safe}: `edge validate --fix`" if safe else ""
    return f"{name}: {', '.join(counts) or 'valid'}{offer}"
