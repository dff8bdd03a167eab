"""`edge reload`."""

from __future__ import annotations

import click

from edgescript.cli import client


@click.command(
    help="Have the running server read its Edgefile again. With an error in it, nothing changes and the problems are shown."
)
@client.options
def command(config: str | None, address: str | None) -> None:
    client.tell(client.connect(config, address).ask("POST", "/reload", accept="text/plain"))
