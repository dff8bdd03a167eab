"""`edge graph`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgescript.cli import console, edgefile

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgescript.graph.outline import Outline
    from edgescript.picture.model import Picture

FORMATS = ("svg", "mermaid", "dot")


@click.command(
    help="""
    Draw an Edgefile (`-` for standard input): listeners, sites, the directives in the order in which they run, and the
    servers behind.

    The format is that of the file's name behind --output, or svg. Of a file with very many sites the first are drawn.
    """
)
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--format", "form", type=click.Choice(FORMATS), help="svg, mermaid or dot.")
@click.option("--output", "-o", metavar="FILE", help="Where to write it, instead of standard output.")
@click.option("--site", "sites", multiple=True, metavar="NAME", help="Draw this site only; may be given several times.")
def command(file: str | None, form: str | None, output: str | None, sites: tuple[str, ...]) -> None:
    from edgescript.graph.outline import outline
    from edgescript.picture.model import picture

    source = edgefile.read(file)
    tree = outline(edgefile.sound(source))
    only = _numbers(tree, sites) if sites else None
    text = _writer(form or _form_of(output))(picture(tree, source.name, only=only))
    if output is None or output == "-":
        console.say(text)
    else:
        Path(output).write_text(text, encoding="utf-8")


def _form_of(output: str | None) -> str:
    suffixes = {".mmd": "mermaid", ".mermaid": "mermaid", ".dot": "dot", ".gv": "dot"}
    return suffixes.get(Path(output or "").suffix.lower(), "svg")


def _writer(form: str) -> Callable[[Picture], str]:
    match form:
        case "mermaid":
            from edgescript.picture.mermaid import as_mermaid as writer
        case "dot":
            from edgescript.picture.dot import as_dot as writer
        case _:
            from edgescript.picture.svg import as_svg as writer
    return writer


def _numbers(tree: Outline, names: tuple[str, ...]) -> frozenset[int]:
    """The sites that are meant: by an address as written, or by its host alone."""
    known: dict[str, set[int]] = {}
    for number, site in enumerate(tree.sites):
        for name in site.names:
            for key in {name, name.partition("://")[2] or name}:
                known.setdefault(key, set()).add(number)
    return frozenset(number for name in names for number in _found(name, known))


def _found(name: str, known: dict[str, set[int]]) -> set[int]:
    from edgescript.text.problem import did_you_mean

    if name not in known:
        hint = did_you_mean(name, known)
        raise click.ClickException(f"there is no site {name}{f': {hint}' if hint else ''}")
    return known[name]
