"""`edge convert`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import click

from edgescript.cli import console, edgefile

if TYPE_CHECKING:
    from edgescript.convert.report import Conversion, Report
    from edgescript.text.source import Source

_FOLDER = Path(edgefile.__file__).parent.parent / "convert"


def _kinds() -> list[str]:
    """The formats there are: each is a package with a module `convert`."""
    return sorted(file.parent.name for file in _FOLDER.glob("*/convert.py"))


def _converter(kind: str) -> ModuleType:
    return importlib.import_module(f"edgescript.convert.{kind}.convert")


@click.command(
    help="""
    Convert the configuration of another server to an Edgefile (`-` for standard input).

    The Edgefile goes to standard output, and what became of each directive to standard error. What cannot be converted
    stays as a comment at its place.
    """
)
@click.argument("file", metavar="FILE")
@click.option(
    "--from", "kind", type=click.Choice(_kinds()), help="What it is; guessed from name and content if left out."
)
@click.option("--output", "-o", type=click.Path(dir_okay=False), help="Write the Edgefile there, where no file is yet.")
@click.option("--force", is_flag=True, help="Replace the file of --output.")
@click.option(
    "--report", type=click.Choice(["text", "json"]), default="text", help="The report, for people or for tools."
)
@click.option("--strict", is_flag=True, help="Exit 1 if anything was not, or only partly, converted.")
def command(file: str, kind: str | None, output: str | None, force: bool, report: str, strict: bool) -> None:
    from edgescript.language.files import find_files, read_file

    source = edgefile.read(file)
    converter = _converter(kind or _guessed(source))
    conversion: Conversion = converter.convert(source, read=read_file, find=find_files)
    _write(conversion.text, output, force=force)
    sys.stderr.write(_as_json(conversion.report) if report == "json" else _as_text(conversion.report))
    if strict and not conversion.report.is_complete:
        raise click.exceptions.Exit(1)


def _guessed(source: Source) -> str:
    """
    The format of a file.

    :raises click.UsageError: if none says that it looks like it
    """
    for kind in _kinds():
        if _converter(kind).looks_like(source):
            return kind
    raise click.UsageError(f"what {source.name} is cannot be told: say --from {' or --from '.join(_kinds())}")


def _write(text: str, output: str | None, *, force: bool) -> None:
    """
    Write the Edgefile.

    :raises click.UsageError: if there is such a file already, which may be somebody's work
    """
    if output is None:
        console.say(text)
        return
    try:
        with Path(output).open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise click.UsageError(f"{output} exists: --force replaces it") from None


def _as_json(report: Report) -> str:
    import json

    return json.dumps(report.as_json(), indent=2, ensure_ascii=False).encode("utf-8", "replace").decode() + "\n"


def _as_text(report: Report) -> str:
    """What is not converted, line by line, and how much is."""
    lines = [
        f"{remark.place}: {remark.outcome}: {remark.written}\n    {remark.reason}\n".encode("utf-8", "replace").decode()
        for remark in report.open()
    ]
    done = len(report.remarks) - len(lines)
    return "".join(lines) + f"{done} of {len(report.remarks)} directives converted with the same meaning\n"
