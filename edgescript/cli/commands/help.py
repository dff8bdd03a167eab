"""`edge help`."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import click

from edgescript.cli import console

if TYPE_CHECKING:
    from edgescript.catalog import Catalogue
    from edgescript.declare.describe import Description

#: Shelf → its title, in the order of the overview.
_SHELVES = {
    "directives": "Directives",
    "matchers": "Matchers",
    "placeholders": "Placeholders",
    "balancers": "Balancing policies",
    "settings": "Global settings",
}


@click.command(
    help="Explain a directive, matcher, placeholder, setting or snippet (std/cors); without NAME, list them all."
)
@click.argument("name", required=False, metavar="[NAME]")
def command(name: str | None) -> None:
    from edgescript.catalog import Catalogue

    catalogue = Catalogue.load()
    if name is None:
        console.say(_overview(catalogue))
    elif name.startswith("std/"):
        _show_snippet(name)
    else:
        _show(_described(catalogue, name))


def _show_snippet(name: str) -> None:
    from edgescript.language.files import standard_names
    from edgescript.language.standard import as_markdown, as_text, standard_snippet
    from edgescript.text.problem import did_you_mean

    known = [f"std/{known}" for known in standard_names()]
    if name not in known:
        hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
        raise click.ClickException(f'the standard library has no "{name}"; {hint}')
    snippet = standard_snippet(name.removeprefix("std/"))
    if console.has_colour(sys.stdout):
        console.say_markdown(as_markdown(snippet))
    else:
        console.say(as_text(snippet))


def _show(descriptions: list[Description]) -> None:
    from edgescript.declare.describe import as_markdown, as_text

    if console.has_colour(sys.stdout):
        console.say_markdown("\n".join(map(as_markdown, descriptions)))
    else:
        console.say("\n".join(map(as_text, descriptions)))


def _described(catalogue: Catalogue, name: str) -> list[Description]:
    """Every entry of this name: `header` is a directive, a matcher and a placeholder."""
    from edgescript.declare.describe import describe
    from edgescript.text.problem import did_you_mean

    # `{query.NAME}` and `@name` are how people see them.
    bare = name.strip("{}@").partition(".")[0] or name
    shelves = ("placeholders",) if name.startswith("{") else tuple(_SHELVES)
    wanted = dict.fromkeys((name.strip("{}"), bare))
    found = [entry for shelf in shelves for word in wanted if (entry := catalogue.entry(shelf, word)) is not None]
    if not found:
        known = {known for shelf in _SHELVES for known in catalogue.names(shelf)}
        hint = did_you_mean(bare, known)
        raise click.ClickException(f'nothing is called "{name}"' + (f"; {hint}" if hint else "; `edge help` lists all"))
    return [describe(entry) for entry in found]


def _overview(catalogue: Catalogue) -> str:
    from edgescript.declare.describe import describe
    from edgescript.language.files import standard_names
    from edgescript.language.standard import standard_snippet

    width = max(60, min(shutil.get_terminal_size((120, 0)).columns, 140))
    lines = ["What an Edgefile may hold. `edge help NAME` tells more."]
    for shelf, title in _SHELVES.items():
        lines += ["", f"{title}:"]
        for name in catalogue.names(shelf):
            entry = catalogue.entry(shelf, name)
            if entry is not None:
                lines.append(_row(name, describe(entry).summary, width))
    lines += ["", "Standard library:"]
    for name in standard_names():
        lines.append(_row(f"std/{name}", standard_snippet(name).summary, width))
    return "\n".join(lines)


def _row(name: str, summary: str, width: int) -> str:
    text = f"    {name:<20} {summary.partition('. ')[0].rstrip('.')}"
    return text if len(text) <= width else text[: width - 1] + "…"
