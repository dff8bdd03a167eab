"""`edge adapt`."""

from __future__ import annotations

import json

import click

from edgescript.cli import console, edgefile


@click.command(help="Print the compiled graph of an Edgefile (`-` for standard input) as JSON.")
@click.argument("file", required=False, metavar="[FILE]")
def command(file: str | None) -> None:
    from edgescript.graph.adapt import adapt

    graph = edgefile.usable(edgefile.read(file))
    console.say(json.dumps(adapt(graph), indent=2))
