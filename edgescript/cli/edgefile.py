"""The Edgefile that a command works on: found, read, compiled, and its problems shown."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgescript.cli import console
from edgescript.text.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgescript.graph.bound import BoundFile
    from edgescript.graph.load import Analysis
    from edgescript.graph.model import Graph
    from edgescript.text.problem import Problem

DEFAULT = "Edgefile"

#: Problems that are shown to a person; `--format json` has all.
SHOWN = 500

_NONE_HERE = f"""there is no {DEFAULT} in this directory. Write one, for example:

    :8080 {{
        files .
    }}

which serves this directory on http://localhost:8080/. `edge help` lists what else it may hold;
`--config FILE` names another file."""


def read(name: str | None) -> Source:
    """
    The text of a file; `-` is standard input, None the `Edgefile` of the current directory.

    Of one that is too large, or has no end (`/dev/zero`), as much is read as it takes to report that.

    :raises OSError: if it cannot be read
    """
    from edgescript.language.files import MOST_BYTES

    if name == "-":
        return Source.of_bytes("<stdin>", sys.stdin.buffer.read(MOST_BYTES))
    if name is None and not os.path.exists(DEFAULT):
        raise click.ClickException(_NONE_HERE)
    with open(name or DEFAULT, "rb") as file:
        return Source.of_bytes(name or DEFAULT, file.read(MOST_BYTES))


def directory(source: Source) -> str:
    """Where relative paths of a file start."""
    return os.getcwd() if source.name == "<stdin>" else str(Path(source.name).absolute().parent)


def write(name: str, text: str) -> None:
    """
    Write a file beside the old one and put it in its place, so that a full disk cannot leave half of it.

    :raises OSError: if it cannot be written; the old one is as it was
    """
    import errno
    import shutil
    import tempfile

    path = Path(name).resolve()  # a link stays a link
    if path.exists() and not os.access(path, os.W_OK):  # its folder would let it be replaced all the same
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)
    handle, beside_name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    beside = Path(beside_name)
    try:
        with open(handle, "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(path, beside)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def compiled(source: Source, *, read: Callable[[str], bytes] | None = None) -> tuple[Graph | None, list[Problem]]:
    """
    The graph of a file, and everything that is wrong with it. Without a graph there is at least one error.

    :param read: gives the bytes of an imported file, where it is not simply read
    """
    from edgescript.catalog import Catalogue
    from edgescript.graph.load import load
    from edgescript.language.files import read_file

    return load(
        source,
        catalogue=Catalogue.load(),
        environment=os.environ,
        directory=directory(source),
        read=read or read_file,
        clock=time.monotonic,
    )


def understood(source: Source, *, read: Callable[[str], bytes] | None = None) -> Analysis:
    """What can be known of a file without setting anything up, whether or not it has problems."""
    from edgescript.catalog import Catalogue
    from edgescript.graph.load import analyse
    from edgescript.language.files import read_file

    return analyse(source, catalogue=Catalogue.load(), environment=os.environ, read=read or read_file)


def checked(source: Source) -> tuple[Graph | None, list[Problem]]:
    """The same, and with it what is hardly ever meant as it is written."""
    from edgescript.catalog import Catalogue
    from edgescript.graph.load import analyse, no_garbage, set_up
    from edgescript.language.files import read_file
    from edgescript.lint.run import lint
    from edgescript.text.problem import in_order

    catalogue = Catalogue.load()
    with no_garbage():
        found = analyse(source, catalogue=catalogue, environment=os.environ, read=read_file)
        graph, problems = set_up(found, directory=directory(source), clock=time.monotonic)
        return graph, in_order([*problems, *lint(found, catalogue)])


def usable(source: Source, *, read: Callable[[str], bytes] | None = None) -> Graph:
    """The graph of a file. Problems go to standard error, and with an error among them the command ends."""
    graph, problems = compiled(source, read=read)
    show(problems, error=True)
    if graph is None:
        raise click.exceptions.Exit(1)
    return graph


def sound(source: Source) -> BoundFile:
    """What a file means. Problems go to standard error, and with an error among them the command ends."""
    from edgescript.graph.compile import has_errors

    found = understood(source)
    show(found.problems, error=True)
    if found.bound is None or has_errors(found.problems):
        raise click.exceptions.Exit(1)
    return found.bound


def show(problems: Sequence[Problem], *, error: bool = False) -> None:
    """Problems for a person."""
    from edgescript.text.render import as_text

    stream = sys.stderr if error else sys.stdout
    if problems:
        stream.write(as_text(problems[:SHOWN], colour=console.has_colour(stream)))
    if len(problems) > SHOWN:
        stream.write(f"… and {len(problems) - SHOWN:,} more problems\n")
