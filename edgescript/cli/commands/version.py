"""`edge version`."""

from __future__ import annotations

import click

from edgescript.cli import console
from edgescript.version import __version__


@click.command(help="Print the version.")
def command() -> None:
    console.say(f"edge {__version__}")
