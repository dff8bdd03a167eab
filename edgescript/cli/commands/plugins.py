"""`edge plugins`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from edgescript.cli import console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgescript.catalog import Plugin


@click.command(
    help="""
    List the plug-ins: installed Python packages that add directives, matchers, placeholders, balancing policies or settings.

    One that cannot be used is listed with the reason, adds nothing, and keeps nothing else from working; the exit code is 1.
    """
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def command(as_json: bool) -> None:
    from edgescript.catalog import Catalogue

    plugins = Catalogue.load().installed()
    if as_json:
        console.say(json.dumps([_plain(plugin) for plugin in plugins], indent=2))
    elif not plugins:
        console.say('no plug-ins are installed (packages with the entry-point group "edgescript.entries")')
    else:
        console.say("\n".join(line for plugin in plugins for line in _lines(plugin)))
    if any(plugin.problems for plugin in plugins):
        raise click.exceptions.Exit(1)


def _plain(plugin: Plugin) -> dict[str, object]:
    entries = [{"shelf": shelf, "name": name} for shelf, name in plugin.entries]
    return {**asdict(plugin), "entries": entries}


def _lines(plugin: Plugin) -> Iterator[str]:
    yield f"{plugin.package or 'an unknown package'} {plugin.version or ''} ({plugin.value})".replace("  ", " ")
    for shelf, name in plugin.entries:
        yield f"    {shelf.removesuffix('s')} {name}"
    for problem in plugin.problems:
        yield f"    problem: {problem}"
