"""`edge rollback`."""

from __future__ import annotations

import click

from edgescript.cli import client, console


@click.command(
    help="Put an earlier configuration to use again: the one before the current one, or that of a number, see `edge history`."
    " The Edgefile stays as it is, so the next reload takes that."
)
@click.argument("number", type=click.IntRange(min=1), required=False)
@client.options
def command(number: int | None, config: str | None, address: str | None) -> None:
    path = "/rollback" if number is None else f"/rollback?number={number}"
    client.tell(client.connect(config, address).ask("POST", path, accept="text/plain"))
    console.say("the Edgefile on the disk was not changed; the next reload takes that")
